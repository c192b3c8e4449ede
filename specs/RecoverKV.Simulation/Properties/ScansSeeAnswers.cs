using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Each item of a page is read as by a linearizable read, and a scan that comes to its end shows every key
/// that was there all the time exactly once.</summary>
internal sealed class ScansSeeAnswers(SimulatedCluster cluster, AnsweredUids answered) : Property(cluster)
{
    private sealed class Progress
    {
        public long Floor;
        public readonly Dictionary<int, int> Counts = [];
    }

    private readonly Dictionary<ClientOperation, Progress> _scans = [];

    protected override string Name => "Scans see what was answered before";

    public override void OnScanAnswer(SimulatedNode node, Attempt attempt, ScanReply reply)
    {
        var scan = attempt.Operation.Scan!;
        if (reply.Id != scan.Id) return; // a late copy of an earlier page
        Hold(reply.Status != ReadStatus.Invalid, $"{node.Id} finds a good scan invalid");
        if (reply.Status != ReadStatus.Done) return;
        Hold(reply.Items.Count <= scan.MaxItems, $"{node.Id} gives {reply.Items.Count} of {scan.MaxItems} items");
        if (!_scans.ContainsKey(attempt.Operation))
            _scans[attempt.Operation] = new Progress { Floor = attempt.Floor };
        foreach (var item in reply.Items)
        {
            var key = Values.Index(item.Key);
            var point = Cluster.Committed.FirstPoint([(key, item.Version.Uid, Values.Id(item.Version.Value))], attempt.Floor);
            if (point is null) throw Broken($"{node.Id} shows {item.Key} with uid {item.Version.Uid} after {attempt.Floor}");
            answered.Raise(point.Value);
        }
    }

    public override void OnScanPage(Attempt attempt, ScanReply reply)
    {
        var progress = _scans[attempt.Operation];
        foreach (var item in reply.Items)
        {
            var key = Values.Index(item.Key);
            progress.Counts[key] = progress.Counts.GetValueOrDefault(key) + 1;
        }

        if (!reply.Next.IsEmpty) return;
        for (var key = 0; key < Cluster.Scenario.Keys; key++)
        {
            if (!WasThere(key, progress.Floor)) continue;
            Hold(progress.Counts.GetValueOrDefault(key) == 1,
                $"{attempt.Node.Id} shows key {key} {progress.Counts.GetValueOrDefault(key)} times");
        }
    }

    /// <summary>It existed at the floor and at every point since.</summary>
    private bool WasThere(int key, long floor) => Cluster.Committed.VersionAt(key, floor).Uid != 0
        && Cluster.Committed.Changes(key).Where(c => c.Uid > floor).All(c => c.Exists);
}
