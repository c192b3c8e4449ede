using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Asks the nodes of the local cluster for their state, again and again, through one client.</summary>
internal sealed class ClusterWatch(IReadOnlyList<LocalNode> nodes) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

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
            return new Dictionary<string, NodeStatus>();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_client is not null) await _client.DisposeAsync();
    }
}
