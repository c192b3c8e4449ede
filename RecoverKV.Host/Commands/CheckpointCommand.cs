using System.CommandLine;
using RecoverKV.Client;

namespace RecoverKV.Host.Commands;

/// <summary><c>checkpoint [NODE]</c></summary>
internal static class CheckpointCommand
{
    public static Command Create(CommandContext context)
    {
        var node = Arguments.NeverEmpty(new Argument<string?>("NODE")
        {
            Description = "The node's id, as `status` shows it; all nodes, one after the other, if it is left out.",
            Arity = ArgumentArity.ZeroOrOne,
        });
        var command = context.NewCommand(
            "checkpoint", "Write a checkpoint, so that the next start replays little.",
            async (parsed, client, cancellation) =>
            {
                var nodes = parsed.GetValue(node) is { } one
                    ? [one]
                    : (await client.GetStatusAsync(cancellation)).Nodes.Select(n => n.Node).ToArray();
                var code = ExitCode.Done;
                foreach (var name in nodes)
                {
                    try
                    {
                        context.Terminal.Out.WriteLine($"{name}: {await client.CheckpointAsync(name, cancellation)}");
                    }
                    catch (NotDoneException e) when (nodes.Length > 1)
                    {
                        context.Terminal.Error.WriteLine($"recoverkv: not done: {e.Message}");
                        code = ExitCode.NotDone;
                    }
                }

                return code;
            });
        command.Add(node);
        return command;
    }
}
