using System.CommandLine;
using System.Text.Json;
using RecoverKV.Client;
using RecoverKV.Host.Bench.Cluster;
using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench;

/// <summary><c>bench worker</c>: one of the client processes of <c>bench multi --processes</c>; see
/// <see cref="WorkerProcess"/>.</summary>
internal static class WorkerCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new Command("worker", "A client process of a benchmark; not for use by hand.") { Hidden = true };
        command.SetAction((_, cancellation) => RunAsync(terminal, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, CancellationToken cancellation)
    {
        // A Ctrl-C reaches the whole group of processes; the parent ends this one.
        using var interrupt = new InterruptSource(ignoreInteractive: true);
        using var input = new StreamReader(terminal.Input, leaveOpen: true);
        var job = Parse<PutGetJob>(await input.ReadLineAsync(interrupt.Token));
        if (job is null) return ExitCode.Done;
        await using var client = await RecoverKvClient.ConnectAsync(job.Contact, job.ClientOptions, cancellation);
        await using var load = new PutGetLoad(client, job);
        terminal.Out.WriteLine(JsonSerializer.Serialize(new WorkerReady()));
        while (Parse<WorkerOrder>(await input.ReadLineAsync(interrupt.Token)) is { } order)
        {
            var result = await load.RunAsync(order.Phase, order.Start, order.Seconds, interrupt.Token);
            terminal.Out.WriteLine(JsonSerializer.Serialize(result));
        }

        return ExitCode.Done;
    }

    private static T? Parse<T>(string? line) where T : class
    {
        try
        {
            return line is null ? null : JsonSerializer.Deserialize<T>(line);
        }
        catch (JsonException)
        {
            throw new UsageException("bench worker: it is started by `bench multi --processes`, not by hand");
        }
    }
}
