using System.Net.NetworkInformation;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Asks the nodes of the local cluster for their state, again and again, through one client.</summary>
/// <param name="nodes">The nodes.</param>
/// <param name="tls">How to reach them; null: without TLS.</param>
/// <param name="notice">Told of what should not happen.</param>
/// <param name="heard">Called after each time that they were asked.</param>
internal sealed class ClusterWatch(IReadOnlyList<LocalNode> nodes, TlsOptions? tls, Action<string> notice, Action heard)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);
    private static readonly IReadOnlyDictionary<string, NodeStatus> NothingSaid = new Dictionary<string, NodeStatus>();

    private volatile IReadOnlyDictionary<string, NodeStatus> _latest = NothingSaid;

    /// <summary>What each node said of itself when it was asked last, by node id; those that said nothing are missing.
    /// </summary>
    public IReadOnlyDictionary<string, NodeStatus> Latest => _latest;

    /// <summary>Asks until cancelled. Never fails: whatever goes wrong here must not take the nodes down.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WaitForListenerAsync(stop);
                await using var client = await RecoverKvClient.ConnectAsync(
                    nodes.Select(n => n.Address), new RecoverKvClientOptions { Tls = tls }, stop);
                await AskAsync(client, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (NotDoneException)
            {
                // Nobody answers: no node is up yet, or none any more. The table says so.
            }
            catch (Exception e)
            {
                notice(Failures.Describe(e));
                await Task.Delay(Interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            _latest = NothingSaid;
            heard();
        }
    }

    /// <summary>Looks at the system's list: a connection, or a try to listen, would disturb a node that starts.
    /// </summary>
    private async Task WaitForListenerAsync(CancellationToken stop)
    {
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
            .Any(l => nodes.Any(n => n.Port == l.Port)))
            await Task.Delay(Interval / 4, stop);
    }

    private async Task AskAsync(RecoverKvClient client, CancellationToken stop)
    {
        while (true)
        {
            var status = await client.GetStatusAsync(stop);
            _latest = status.Nodes.ToDictionary(n => n.Node);
            heard();
            await Task.Delay(Interval, stop);
        }
    }
}
