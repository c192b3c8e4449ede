using System.Runtime.CompilerServices;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>One scan: pages of one node, since a cursor is valid there only.</summary>
internal sealed class Scan(ClusterMap map, Asks asks, Func<long> clock, TimeSpan deadline, ReadConsistency consistency)
{
    private const int PageItems = 512;

    /// <summary>For the first attempt at a page; doubles with each, as a page may be on its way over a thin link.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1000);

    internal async IAsyncEnumerable<ScanItem> ItemsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var node = map.PickReader(consistency);
        ReadOnlyMemory<byte> cursor = default;
        do
        {
            ScanReply page;
            (node, page) = await PageAsync(node, cursor, cancellation).ConfigureAwait(false);
            foreach (var item in page.Items)
                yield return new ScanItem(item.Key.Detach(), Detach.Of(item.Version)!);
            cursor = page.Next;
        }
        while (!cursor.IsEmpty);
    }

    /// <summary>A page; the first one of any node that has it, later ones of the same node.</summary>
    private async Task<(NodeRoute Node, ScanReply Page)> PageAsync(
        NodeRoute node, ReadOnlyMemory<byte> cursor, CancellationToken cancellation)
    {
        var end = clock() + (long)deadline.TotalMilliseconds;
        for (var refusals = 1; ; refusals++)
        {
            if (map.Replaced is { } why) throw new NotDoneException($"The scan was not done: {why}");
            var left = TimeSpan.FromMilliseconds(end - clock());
            if (left <= TimeSpan.Zero) throw NotDone("no node answered it in time");
            var patience = Patience * (1 << Math.Min(refusals - 1, 3));
            if (left > patience) left = patience;
            var asked = clock();
            var store = map.Table!.View.Cluster;
            var page = await asks.AskAsync<ScanReply>(
                node, id => new ScanRequest(id, consistency, cursor, PageItems, store), left, cancellation)
                .ConfigureAwait(false);
            switch (page?.Status)
            {
                case ReadStatus.Done:
                    return (node, page);
                case ReadStatus.Invalid:
                    throw new InvalidRequestException(
                        $"Node {node.Node} refuses the scan: {page.Text ?? "its request breaks a limit"}.");
                case ReadStatus.CursorLost:
                    throw NotDone($"node {node.Node} restarted");
                case ReadStatus.OtherStore when !cursor.IsEmpty:
                    throw NotDone($"node {node.Node} is of another store now");
                case null when !cursor.IsEmpty && node.LastHeard < asked:
                    throw NotDone($"node {node.Node} does not answer");
                case null:
                    if (node.LastHeard < asked) node.Suspect();
                    break;
                case ReadStatus.NotAlive:
                    node.NotAlive(clock());
                    break;
            }

            if (cursor.IsEmpty) node = map.PickReader(consistency, node);
            map.WantView();
            await Task.Delay(Timing.BackoffAfter(refusals, Random.Shared), cancellation).ConfigureAwait(false);
        }
    }

    private static NotDoneException NotDone(string why) => new($"The scan was not done: {why}; start it over.");
}
