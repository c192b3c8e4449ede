using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using RecoverKV.Host.Bench;
using RecoverKV.Host.Commands;

namespace RecoverKV.Host;

/// <summary>The command line of the program: its tree of commands, and how one call of it ends.</summary>
internal static class Cli
{
    private static readonly ParserConfiguration Parsing = new()
    {
        // `put user @home` stores "@home", and is no request to read a file; nor is `-abc` three options.
        ResponseFileTokenReplacer = null,
        EnablePosixBundling = false,
    };

    /// <summary>Runs the program with these arguments and returns its exit code.</summary>
    public static Task<int> RunAsync(string[] args, Terminal terminal)
    {
        var context = new CommandContext(terminal);
        var root = NewRoot("RecoverKV: a strongly consistent, replicated key-value store. "
            + "Without arguments: run a local cluster of three nodes (as `up`).");
        foreach (var command in ClientCommands.All(context)) root.Add(command);
        root.Add(BackupCommands.CreateVerify(terminal));
        root.Add(BackupCommands.CreateRestore(terminal));
        root.Add(RescueCommand.Create(terminal));
        root.Add(BenchCommand.Create(terminal));
        root.Add(ShellCommand.Create(context));
        root.Add(NodeCommand.Create(terminal));
        root.Add(UpCommand.Create(terminal));
        root.Add(CheckCommand.Create(terminal));
        root.Add(CertsCommand.Create(terminal));
        root.SetAction((_, cancellation) => root.Parse(["up"], Parsing).InvokeAsync(Quiet(terminal), cancellation));
        return InvokeAsync(root, args, terminal, CancellationToken.None);
    }

    /// <summary>A root without what fights with keys and values: `/h` and `/?` are keys like any other.</summary>
    public static RootCommand NewRoot(string description)
    {
        var root = new RootCommand(description);
        root.Options.Clear();
        root.Directives.Clear();
        root.Add(new HelpOption("--help", "-h"));
        root.Add(new VersionOption("--version"));
        return root;
    }

    /// <summary>Parses and runs one command of a tree; every failure ends here as one line and an exit code.</summary>
    public static async Task<int> InvokeAsync(
        RootCommand root, IReadOnlyList<string> args, Terminal terminal, CancellationToken cancellation)
    {
        try
        {
            var parsed = root.Parse(args, Parsing);
            if (parsed.Action is not ParseErrorAction)
                return await parsed.InvokeAsync(Quiet(terminal), cancellation);
            throw new UsageException($"{parsed.Errors[0].Message} (--help says more)");
        }
        catch (Exception failure)
        {
            // The last stop of every failure: no stack trace reaches a user.
            terminal.Error.WriteLine($"recoverkv: {Failures.Describe(failure)}");
            return Failures.CodeOf(failure);
        }
    }

    private static InvocationConfiguration Quiet(Terminal terminal) => new()
    {
        EnableDefaultExceptionHandler = false,
        // Commands that must end in good order handle the signals themselves.
        ProcessTerminationTimeout = null,
        Output = terminal.Out,
        Error = terminal.Error,
    };
}
