using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Asks the nodes of the local cluster for their state, again and again, through one client.</summary>
/// <param name="nodes">The nodes.</param>
/// <param name="notice">Told of what should not happen.</param>
internal sealed class ClusterWatch(IReadOnlyList<LocalNode> nodes, Action<string> notice) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly IReadOnlyDictionary<string, NodeStatus> NothingSaid = new Dictionary<string, NodeStatus>();

    private RecoverKvClient? _client;

    /// <summary>What each node says of itself now, by node id; those that say nothing are missing.</summary>
    public async Task<IReadOnlyDictionary<string, NodeStatus>> AskAsync(CancellationToken cancellation)
    {
        try
        {
            _client ??= await RecoverKvClient.ConnectAsync(
                nodes.Select(n => n.Address),
                new RecoverKvClientOptions { Deadline = Patience, ConnectTimeout = Patience }, cancellation);
            var status = await _client.GetStatusAsync(cancellation);
            return status.Nodes.ToDictionary(n => n.Node);
        }
        catch (RecoverKvException)
        {
            // Nobody answers: no node is up yet, or none any more. The table says so.
            return NothingSaid;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it is, it must not take the nodes down with it.
            notice(Failures.Describe(e));
            return NothingSaid;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_client is not null) await _client.DisposeAsync();
    }
}
