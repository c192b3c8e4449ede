using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Each page of a scan is what its range had at one point of the order, not before what was answered when the
/// page was asked for: no key left out, none between, in the order of the keys. And a scan that comes to its end shows
/// every key that was there all the time exactly once.</summary>
internal sealed class ScansSeeAnswers(SimulatedCluster cluster, AnsweredUids answered) : Property(cluster)
{
    private sealed class Progress
    {
        public long Floor;

        /// <summary>The last key of the pages so far; -1 before the first.</summary>
        public int Last = -1;

        /// <summary>The id of the last page.</summary>
        public long? Page;
        public readonly Dictionary<int, int> Counts = [];
    }

    private readonly Dictionary<ClientOperation, Progress> _scans = [];

    protected override string Name => "Scans see what was answered before";

    public override void OnScanAnswer(SimulatedNode node, Attempt attempt, ScanReply reply)
    {
        var scan = attempt.Operation.Scan!;
        if (reply.Id != scan.Id) return; // a late copy of an earlier page
        Hold(reply.Status is not (ReadStatus.Invalid or ReadStatus.CursorLost),
            $"{node.Id} finds a good scan {reply.Status}");
        if (reply.Status != ReadStatus.Done) return;
        if (!_scans.TryGetValue(attempt.Operation, out var progress))
            _scans[attempt.Operation] = progress = new Progress { Floor = attempt.Floor };
        if (progress.Page == reply.Id) return; // the client has it already
        Hold(reply.Uid >= attempt.Floor && reply.Uid <= Cluster.Committed.Top,
            $"{node.Id} shows uid {reply.Uid} after {attempt.Floor}");
        var all = KeysAt(reply.Uid, scan, progress.Last);
        var shown = reply.Items.Select(i => Values.Index(i.Key)).ToList();
        Hold(shown.SequenceEqual(all.Take(shown.Count)),
            $"{node.Id} shows keys {string.Join(' ', shown)} of {string.Join(' ', all)} at uid {reply.Uid}");
        Hold(shown.Count <= scan.MaxItems && (shown.Count == all.Count || (!reply.Next.IsEmpty && shown.Count > 0)),
            $"{node.Id} ends after {shown.Count} of {all.Count} keys, {scan.MaxItems} asked for");
        foreach (var item in reply.Items)
        {
            Hold(Cluster.Committed.VersionAt(Values.Index(item.Key), reply.Uid)
                    == (item.Version.Uid, Values.Id(item.Version.Value)),
                $"{node.Id} shows {item.Key} with uid {item.Version.Uid} at uid {reply.Uid}");
        }

        answered.Raise(reply.Uid);
    }

    public override void OnScanPage(Attempt attempt, ScanReply reply)
    {
        var progress = _scans[attempt.Operation];
        progress.Page = reply.Id;
        foreach (var item in reply.Items)
        {
            progress.Last = Values.Index(item.Key);
            progress.Counts[progress.Last] = progress.Counts.GetValueOrDefault(progress.Last) + 1;
        }

        if (!reply.Next.IsEmpty) return;
        for (var key = 0; key < Cluster.Scenario.Keys; key++)
        {
            if (!attempt.Operation.Scan!.Range.Contains(Values.Key(key)) || !WasThere(key, progress.Floor)) continue;
            Hold(progress.Counts.GetValueOrDefault(key) == 1,
                $"{attempt.Node.Id} shows key {key} {progress.Counts.GetValueOrDefault(key)} times");
        }
    }

    /// <summary>What a scan has still to show at this point, in its order.</summary>
    private List<int> KeysAt(long uid, ScanRequest scan, int last)
    {
        var keys = Enumerable.Range(0, Cluster.Scenario.Keys)
            .Where(k => scan.Range.Contains(Values.Key(k)) && Cluster.Committed.VersionAt(k, uid).Uid != 0)
            .OrderBy(Values.Key).ToList();
        if (scan.Reverse) keys.Reverse();
        return last < 0 ? keys : [.. keys.Where(k => IsBehind(Values.Key(k), Values.Key(last), scan.Reverse))];
    }

    private static bool IsBehind(Key key, Key last, bool reverse) => reverse ? key < last : key > last;

    /// <summary>It existed at the floor and at every point since.</summary>
    private bool WasThere(int key, long floor) => Cluster.Committed.VersionAt(key, floor).Uid != 0
        && Cluster.Committed.Changes(key).Where(c => c.Uid > floor).All(c => c.Exists);
}
