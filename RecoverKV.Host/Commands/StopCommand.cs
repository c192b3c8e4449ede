using System.CommandLine;

namespace RecoverKV.Host.Commands;

/// <summary><c>stop NODE [--unclean]</c></summary>
internal static class StopCommand
{
    public static Command Create(CommandContext context)
    {
        var node = Arguments.Node();
        var unclean = new Option<bool>("--unclean")
        {
            Description = "End its process at once, as kill -9 does, instead of leaving in good order.",
        };
        var command = context.NewCommand("stop", "Stop a node (for tests: it must run with recoverkv.chaos = on).",
            async (parsed, client, cancellation) =>
            {
                await client.StopNodeAsync(parsed.GetRequiredValue(node), !parsed.GetValue(unclean), cancellation);
                return ExitCode.Done;
            });
        command.Add(node);
        command.Add(unclean);
        return command;
    }
}
