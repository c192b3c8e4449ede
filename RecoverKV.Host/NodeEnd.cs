using RecoverKV.Client;

namespace RecoverKV.Host;

/// <summary>Stops in good order, to their end: a node says that it leaves before it does it.</summary>
internal static class NodeEnd
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>The process of a node; 0 if it is DEAD.</summary>
    public static async Task<int> ProcessAsync(RecoverKvClient client, string node, CancellationToken cancellation) =>
        (await client.GetStatusAsync(cancellation)).Nodes.FirstOrDefault(n => n.Node == node)?.ProcessId
        ?? throw new NotDoneException($"the nodes do not know {node}");

    /// <summary>Stops a node in good order; ends when this process of it has ended.</summary>
    public static async Task LeaveAsync(
        RecoverKvClient client, string node, int process, CancellationToken cancellation)
    {
        await client.StopNodeAsync(node, clean: true, cancellation);
        while (await ProcessAsync(client, node, cancellation) == process) await Task.Delay(Poll, cancellation);
    }
}
