using System.CommandLine;
using Grpc.Core;
using RecoverKV.Client;
using RecoverKV.Host.Checks;

namespace RecoverKV.Host.Commands;

/// <summary><c>check [--grpc ADDRESS] [--servers A,B] [--contact ...]</c></summary>
internal static class CheckCommand
{
    private const string DefaultGrpc = "localhost:50050";
    private const string DefaultServers = "localhost:50051,localhost:50052,localhost:50053";

    public static Command Create(Terminal terminal)
    {
        var grpc = new Option<string>("--grpc")
        {
            Description = "The gRPC endpoint, which is called as the original's clients do.",
            HelpName = "HOST:PORT",
            DefaultValueFactory = _ => DefaultGrpc,
        };
        var servers = new Option<string>("--servers")
        {
            Description = "The servers under the names that the endpoint has for them.",
            HelpName = "HOST:PORT[,HOST:PORT...]",
            DefaultValueFactory = _ => DefaultServers,
        };
        var contact = CommandContext.NewContactOption(
            "Check by the native client instead, with these nodes to ask first; they need recoverkv.chaos = on.");
        var timeout = Arguments.Seconds("--timeout", 60, "How long to wait for all servers to be ALIVE.");
        var command = new Command(
            "check", "Run what the users of the original test: ten checks. Kills and cuts servers.")
        {
            grpc, servers, contact, timeout,
        };
        var tls = new TlsArguments(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(contact) is { Implicit: false }
                && (result.GetResult(grpc) is { Implicit: false } || result.GetResult(servers) is { Implicit: false }))
                result.AddError("check: --contact excludes --grpc and --servers");
        });
        command.SetAction(async (parsed, _) =>
        {
            using var interrupt = new InterruptSource();
            var patience = TimeSpan.FromSeconds(parsed.GetValue(timeout));
            await using ICheckedStore store = parsed.GetResult(contact) is { Implicit: false } given
                ? await NativeStore.OpenAsync(
                    CommandContext.ParseContact(given.GetValueOrDefault<string>(), "--contact"),
                    tls.Read(parsed), interrupt.Token)
                : await OpenAsync(
                    CommandContext.ParseContact(parsed.GetRequiredValue(grpc), "--grpc")[0], tls.Read(parsed),
                    CommandContext.ParseContact(parsed.GetRequiredValue(servers), "--servers"),
                    patience, interrupt.Token);
            var number = 0;
            var results = await new CheckRun(store, patience, interrupt.Token).RunAsync(result =>
            {
                // The table comes at the end; who waits at a terminal sees how far it is.
                if (terminal.ErrorIsTerminal) terminal.Error.WriteLine($"{++number}. {result.Name}: {result.Seen}");
            });
            CheckTable.Write(terminal, results);
            return results.Any(r => r.Verdict == Verdict.Failed) ? ExitCode.Negative : ExitCode.Done;
        });
        return command;
    }

    private static async Task<GrpcStore> OpenAsync(
        string grpc, TlsOptions? tls, IReadOnlyList<string> servers, TimeSpan patience, CancellationToken interrupt)
    {
        try
        {
            return await GrpcStore.OpenAsync(grpc, tls, servers, patience, interrupt);
        }
        catch (RpcException e)
        {
            throw new CommandFailedException($"no gRPC endpoint answers at {grpc}: {e.Status.Detail}");
        }
    }
}
