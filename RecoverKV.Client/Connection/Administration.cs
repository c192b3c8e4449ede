using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>Questions and orders to single nodes.</summary>
internal sealed class Administration(
    ClusterMap map, Asks asks, Func<long> clock, TimeSpan deadline, string? secret)
{
    /// <summary>How long a node may take to say how it is.</summary>
    private static readonly TimeSpan StatusPatience = TimeSpan.FromMilliseconds(1500);

    /// <summary>How often an order that was not answered is given again.</summary>
    private static readonly TimeSpan OrderPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>A node that was told to end at once has ended if it does not answer within this.</summary>
    private static readonly TimeSpan DeathPatience = TimeSpan.FromMilliseconds(300);

    /// <summary>A checkpoint of a large store takes its time: so many times as much as other calls may take.</summary>
    private const int CheckpointPatience = 30;

    private static readonly TimeSpan CheckpointAgain = TimeSpan.FromSeconds(20);

    /// <summary>How long a part of a backup may take before it is asked for again.</summary>
    private static readonly TimeSpan BackupPatience = TimeSpan.FromSeconds(10);

    internal async Task<ClusterStatus> StatusAsync(CancellationToken cancellation)
    {
        var table = map.Table!;
        var patience = deadline < StatusPatience ? deadline : StatusPatience;
        return new ClusterStatus(await Task.WhenAll(table.Nodes.Select(async node =>
            await AskStatusAsync(node, patience, cancellation).ConfigureAwait(false)
            ?? new NodeStatus(0, node.Node, node.Host, node.Port, 0, NodeMode.Dead, 0, false, null, 0, 0, 0, 0)))
            .ConfigureAwait(false));
    }

    internal async Task StopAsync(string node, bool clean, CancellationToken cancellation)
    {
        var route = Find(node);
        if (clean)
        {
            await OrderAsync(route, id => new StopNode(id, true, secret), cancellation).ConfigureAwait(false);
            return;
        }

        var before = await AskStatusAsync(route, StatusPatience, cancellation).ConfigureAwait(false)
            ?? throw new NotDoneException($"Node {node} does not answer.");
        // Sent once: a second copy would end the process that comes after this one.
        var refusal = await asks.AskAsync<AdminReply>(
            route, id => new StopNode(id, false, secret), DeathPatience, cancellation).ConfigureAwait(false);
        if (refusal is { Done: false }) throw Refused(node, refusal);
        var end = End();
        while (await AskStatusAsync(route, DeathPatience, cancellation).ConfigureAwait(false) is { } after
            && after.ProcessId == before.ProcessId)
        {
            if (clock() >= end) throw new NotDoneException($"Node {node} still runs.");
            await Task.Delay(Timing.Poll, cancellation).ConfigureAwait(false);
        }
    }

    internal async Task<string> CheckpointAsync(string node, CancellationToken cancellation)
    {
        var end = clock() + (long)(CheckpointPatience * deadline).TotalMilliseconds;
        while (clock() < end)
        {
            // An answer is lost with its connection; to ask again costs the node a small checkpoint at most.
            if (await asks.AskAsync<AdminReply>(
                Find(node), id => new CheckpointNode(id),
                CheckpointAgain, cancellation).ConfigureAwait(false) is { } reply)
                return reply.Done ? reply.Text ?? "" : throw Refused(node, reply);
        }

        throw new NotDoneException($"Node {node} has written no checkpoint yet.");
    }

    /// <summary>A part of a node's checkpoint; null if the node does not answer within the deadline.</summary>
    internal async Task<BackupPart?> BackupPartAsync(
        string node, long at, ReadOnlyMemory<byte> after, CancellationToken cancellation)
    {
        var end = End();
        while (clock() < end)
        {
            if (await asks.AskAsync<BackupPart>(
                Find(node), id => new BackupRequest(id, at, after),
                BackupPatience, cancellation).ConfigureAwait(false) is { } part)
                return part;
        }

        return null;
    }

    internal async Task PartitionAsync(
        string node, IReadOnlyList<string>? reachable, bool healingOnly, CancellationToken cancellation)
    {
        foreach (var other in reachable ?? []) Find(other);
        await OrderAsync(
            Find(node), id => new PartitionNode(id, reachable is not null, reachable ?? [], healingOnly, secret),
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Orders that may be given again: until the node says that it does it, or refuses.</summary>
    private async Task OrderAsync(NodeRoute node, Func<long, IClientMessage> order, CancellationToken cancellation)
    {
        var end = End();
        while (clock() < end)
        {
            var reply = await asks.AskAsync<AdminReply>(node, order, OrderPatience, cancellation).ConfigureAwait(false);
            if (reply is { Done: true }) return;
            if (reply is not null) throw Refused(node.Node, reply);
        }

        throw new NotDoneException($"Node {node.Node} does not answer.");
    }

    private Task<NodeStatus?> AskStatusAsync(NodeRoute node, TimeSpan patience, CancellationToken cancellation) =>
        asks.AskAsync<NodeStatus>(node, id => new NodeStatusRequest(id), patience, cancellation);

    private long End() => clock() + (long)deadline.TotalMilliseconds;

    private NodeRoute Find(string node) => map.Find(node) ?? throw new InvalidRequestException(
        $"There is no node '{node}'; there are {string.Join(", ", map.Table!.Nodes.Select(n => n.Node))}.");

    private static NotDoneException Refused(string node, AdminReply reply) =>
        new($"Node {node} refuses: {reply.Text ?? "it gives no reason"}") { Refused = true };
}
