using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation.Cluster;

/// <summary>
/// Disks lose data, but only as far as the promises of the store go: never a majority of disks at a time, and a lost
/// tail only where another disk tells of it.
/// </summary>
internal sealed class DiskFaults(SimulatedCluster cluster, Prng random)
{
    /// <summary>Nodes whose disk lost data that has not been replaced yet.</summary>
    private readonly HashSet<SimulatedNode> _lost = [];

    public bool TryDo(Faults kind, SimulatedNode node)
    {
        if (cluster.Nodes.Any(n => n.IsForeign)) return false;
        var view = CurrentView();
        if (view is null) return false; // members are recorded by the first view
        _lost.RemoveWhere(n => !n.Disk.LostFacts && view.IsInSync(n.Member));
        if (!_lost.Contains(node) && (_lost.Count + 1) * 2 >= cluster.Nodes.Length) return false;
        if (kind == Faults.WipedDisk) node.Wipe();
        else if (!(kind == Faults.LostLog ? TryLoseLog(node) : TryTruncate(node))) return false;
        _lost.Add(node);
        return true;
    }

    /// <summary>The newest view that is active at its sequencer.</summary>
    private View? CurrentView() => cluster.Nodes.Where(n => n.Core is { IsSequencer: true })
        .Select(n => n.Core!.View).MaxBy(v => v.Epoch.Value);

    /// <summary>
    /// Takes entries off the end of the journal, and only entries: a lost promise or view leaves no mark anywhere that
    /// could tell. Every other disk must know of a commit beyond what remains, so that any majority detects it (R11).
    /// </summary>
    private bool TryTruncate(SimulatedNode node)
    {
        // A disk that counts more than it has tells by itself, unless a second loss takes the count away, too: then the
        // first one leaves no mark.
        if (node.Disk.Counted > node.Disk.Facts.Count) return false;
        if (Truncations(node).Count == 0) return false;
        node.Crash();
        // What was under way may have come on the disk, or not: then fewer others know more than remains.
        if (Truncations(node) is not { Count: > 0 } counts) return true; // a plain crash then
        var count = random.Pick(counts);
        cluster.Trace.Add(cluster.Scheduler.Now, "truncate", node.Id.Name, "", $"{count} facts");
        node.Disk.Truncate(count, counted: false);
        return true;
    }

    /// <summary>How many facts may go.</summary>
    private List<int> Truncations(SimulatedNode node)
    {
        var entries = node.Disk.Facts.Skip(node.Disk.FirstFact - 1).Reverse()
            .TakeWhile(f => f is EntriesAppended).Count();
        var known = cluster.Nodes.Where(n => n != node).Min(n => n.Disk.Image.Committed);
        return [.. Enumerable.Range(1, Math.Min(entries, 20))
            .Where(c => node.Disk.ImageOf(node.Disk.Facts.Count - c).Contiguous
                < Math.Min(known, node.Disk.Image.Contiguous))];
    }

    /// <summary>Takes any facts off the end of the journal: the node finds out by itself.</summary>
    private bool TryLoseLog(SimulatedNode node)
    {
        if (node.Disk.LostFacts || node.Disk.Facts.Count == 0) return false;
        node.Crash();
        var left = node.Disk.Facts.Count - node.Disk.FirstFact + 1;
        var count = random.Between(1, Math.Min(left, random.OneOf(3, 30, 300)));
        cluster.Trace.Add(cluster.Scheduler.Now, "lose log", node.Id.Name, "", $"{count} facts");
        node.Disk.Truncate(count, counted: true);
        return true;
    }
}
