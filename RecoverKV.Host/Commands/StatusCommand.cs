using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Commands;

/// <summary><c>status [NODE] [--json]</c></summary>
internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        var node = Arguments.NeverEmpty(new Argument<string>("NODE")
        {
            Description = "Only this node; the exit code is then 0 if it is ALIVE, else 1 (for health checks).",
            Arity = ArgumentArity.ZeroOrOne,
        });
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = context.NewCommand("status", "Show the nodes and what they may do.",
            async (parsed, client, cancellation) =>
            {
                var status = await client.GetStatusAsync(cancellation);
                var nodes = status.Nodes;
                if (parsed.GetValue(node) is { } name) nodes = [Find(status, name)];
                context.Terminal.Out.Write(parsed.GetValue(json) ? StatusText.Json(nodes) : StatusText.Table(nodes));
                return parsed.GetValue(node) is null || nodes[0].Mode == NodeMode.Alive
                    ? ExitCode.Done
                    : ExitCode.Negative;
            });
        command.Add(node);
        command.Add(json);
        return command;
    }

    private static NodeStatus Find(ClusterStatus status, string name) =>
        status.Nodes.FirstOrDefault(n => n.Node == name)
        ?? throw new UsageException(
            $"there is no node \"{name}\"; the nodes are {string.Join(", ", status.Nodes.Select(n => n.Node))}");
}
