using System.Runtime.CompilerServices;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>One scan: pages of one node, and of another one if that cannot go on. The next page is asked for while the
/// application works on this one.</summary>
internal sealed class Scan(ClusterMap map, Asks asks, Func<long> clock, TimeSpan deadline, ScanOptions options)
{
    // The first page comes quickly, later ones cost less per item.
    private const int FirstPageItems = 512;
    private const int PageItems = 4096;

    /// <summary>For the first attempt at a page; doubles with each, as a page may be on its way over a thin
    /// link.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1000);

    private NodeRoute? _node;

    internal async IAsyncEnumerable<ScanItem> ItemsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var left = options.Limit ?? long.MaxValue;
        var range = options.After is { } after ? options.Range.After(after, options.Reverse) : options.Range;
        if (left == 0 || range.IsEmpty) yield break;
        Key? last = null;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var next = PageAsync(range, default, (int)Math.Min(left, FirstPageItems), end.Token);
        try
        {
            do
            {
                var page = await next.ConfigureAwait(false);
                left -= page.Items.Count;
                var isLast = page.Next.IsEmpty || left <= 0;
                if (!isLast) next = PageAsync(range, page.Next, (int)Math.Min(left, PageItems), end.Token);
                foreach (var item in page.Items)
                {
                    if (!range.Contains(item.Key)
                        || last is { } before && (options.Reverse ? item.Key >= before : item.Key <= before))
                        throw NotDone("a node knows no ranges: it must be updated");
                    var own = new ScanItem(item.Key.Detach(), Detach.Of(item.Version)!);
                    last = own.Key;
                    yield return own;
                }

                if (isLast) yield break;
            }
            while (true);
        }
        finally
        {
            // The page that nobody wants any more.
            await end.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<ScanReply> PageAsync(
        KeyRange range, ReadOnlyMemory<byte> cursor, int maxItems, CancellationToken cancellation)
    {
        var end = clock() + (long)deadline.TotalMilliseconds;
        for (var refusals = 1; ; refusals++)
        {
            if (map.Replaced is { } why) throw new NotDoneException($"The scan was not done: {why}");
            var left = TimeSpan.FromMilliseconds(end - clock());
            if (left <= TimeSpan.Zero)
                throw new NotDoneException("The scan was not done: no node answered it in time.");
            var patience = Patience * (1 << Math.Min(refusals - 1, 3));
            if (left > patience) left = patience;
            var asked = clock();
            var store = map.Table!.View.Cluster;
            var node = _node ??= map.PickReader(options.Consistency);
            var page = await asks.AskAsync<ScanReply>(
                node, id => new ScanRequest(id, options.Consistency, cursor, maxItems, store, range, options.Reverse),
                left, cancellation).ConfigureAwait(false);
            switch (page?.Status)
            {
                case ReadStatus.Done:
                    return page;
                case ReadStatus.Invalid:
                    throw new InvalidRequestException(
                        $"Node {node.Node} refuses the scan: {page.Text ?? "its request breaks a limit"}.");
                case ReadStatus.CursorLost:
                    throw NotDone($"node {node.Node} cannot go on where another one was");
                case null:
                    if (node.LastHeard < asked) node.Suspect();
                    break;
                case ReadStatus.NotAlive:
                    node.NotAlive(clock());
                    break;
            }

            _node = map.PickReader(options.Consistency, node);
            map.WantView();
            await Task.Delay(Timing.BackoffAfter(refusals, Random.Shared), cancellation).ConfigureAwait(false);
        }
    }

    private static NotDoneException NotDone(string why) => new($"The scan was not done: {why}; start it over.");
}
