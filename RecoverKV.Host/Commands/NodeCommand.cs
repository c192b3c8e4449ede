using System.CommandLine;
using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Host.Grpc;

namespace RecoverKV.Host.Commands;

/// <summary><c>node --config FILE [--set KEY=VALUE ...]</c></summary>
internal static class NodeCommand
{
    public static Command Create(Terminal terminal)
    {
        var config = Arguments.NeverEmpty(new Option<string>("--config")
        {
            Description = "The node's configuration, a HOCON file.",
            HelpName = "FILE",
            Required = true,
        });
        var settings = SettingsOption.Create();
        var stopWithInput = new Option<bool>("--stop-with-stdin")
        {
            Description = "Leave when the standard input ends, as the children of `up` do.",
            Hidden = true,
        };
        var command = new Command("node", "Run one node; SIGTERM and SIGINT make it leave in good order.")
        {
            config, settings, stopWithInput,
        };
        command.SetAction((parsed, _) => RunAsync(
            terminal, NodeConfig.Load(parsed.GetRequiredValue(config), parsed.GetValue(settings) ?? []),
            parsed.GetValue(stopWithInput)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, NodeSettings settings, bool stopWithInput)
    {
        // Under `up` a Ctrl-C reaches the whole group of processes; the parent says when to leave.
        using var interrupt = new InterruptSource(ignoreInteractive: stopWithInput);
        if (stopWithInput) WatchInput(terminal.Input, interrupt);
        QuietCollector.Start();
        // It outlives the node's last moments, in which its calls go to other nodes.
        await using var grpc = settings.Grpc.Enabled ? await NodeEndpoint.StartAsync(settings) : null;
        while (await RunOnceAsync(settings, interrupt.Token) == NodeExit.Restart)
            StderrLogger.Lines.Add("the node starts again");
        return ExitCode.Done;
    }

    private static async Task<NodeExit> RunOnceAsync(NodeSettings settings, CancellationToken interrupt)
    {
        RecoverKvNode started;
        try
        {
            started = await RecoverKvNode.StartAsync(settings, StderrLogger.Lines.Add, interrupt);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return NodeExit.Left;
        }

        await using var node = started;
        var interrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = interrupt.Register(() => interrupted.TrySetResult());
        if (await Task.WhenAny(node.Completion, interrupted.Task) == interrupted.Task)
        {
            await node.LeaveAsync();
            return NodeExit.Left;
        }

        return await node.Completion;
    }

    /// <summary>A read of the standard input blocks its thread until the parent has gone.</summary>
    private static void WatchInput(Stream input, InterruptSource interrupt)
    {
        var thread = new Thread(() =>
        {
            var buffer = new byte[256];
            try
            {
                while (input.Read(buffer) > 0) { }
            }
            catch (IOException)
            {
                // It is closed, so there is no parent.
            }

            interrupt.Interrupt();
        })
        {
            IsBackground = true,
            Name = "standard input",
        };
        thread.Start();
    }
}
