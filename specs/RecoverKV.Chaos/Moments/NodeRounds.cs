using RecoverKV.Actors.Storage;
using RecoverKV.Chaos.Cluster;

namespace RecoverKV.Chaos.Moments;

/// <summary>What nodes do with their folders: checkpoints, the journal that forgets, a state on its way.</summary>
internal sealed class NodeRounds(Stage stage)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    /// <summary>A checkpoint that is ordered. The order is answered in the end, whatever comes.</summary>
    public async Task<(string Detail, Moment? Moment)> CheckpointAsync(MomentKind kind)
    {
        var node = stage.AnyNode();
        await stage.CheckpointAsync(node);
        var order = stage.OrderAsync(node);
        var moment = await stage.Moments.ReachAsync(Operation.Checkpoint, order);
        if (moment is not null)
        {
            await ComeAsync(kind, node);
            await stage.WellAsync();
        }

        await order;
        return (node.Name, moment);
    }

    /// <summary>What comes behind a checkpoint.</summary>
    public async Task<(string Detail, Moment? Moment)> CompactionAsync(MomentKind kind)
    {
        var node = stage.AnyNode();
        if (!stage.Moments.Took.ContainsKey(Operation.Compaction))
        {
            await MeasureCompactionAsync(node);
            return (node.Name, null);
        }

        await stage.CheckpointAsync(node);
        var moment = await stage.Moments.ReachAsync(Operation.Compaction, Task.Delay(Timeout.Infinite));
        await ComeAsync(kind, node);
        await stage.WellAsync();
        return (node.Name, moment);
    }

    /// <summary>A folder is wiped, and its node takes the state.</summary>
    public async Task<(string Detail, Moment? Moment)> TransferAsync(MomentKind kind)
    {
        var taker = stage.AnyNode();
        var data = Path.Combine(taker.Folder, "data");
        await taker.KillAsync();
        Directory.Delete(data, recursive: true);
        taker.Start();
        var well = stage.WellAsync();
        await stage.UntilAsync(
            () => $"{taker.Name} takes no state", () => File.Exists(Incoming(data)) || well.IsCompleted);
        if (well.IsCompleted)
        {
            // The logs had all that it lacked, or it was too quick to be seen.
            await well;
            return ($"{taker.Name}, which needed no state", null);
        }

        var moment = await stage.Moments.ReachAsync(Operation.Transfer, well);
        if (moment is null) return (taker.Name, null);
        var victim = kind is MomentKind.GiverKilled or MomentKind.GiverFull ? Giver(taker) : taker;
        await ComeAsync(kind, victim);
        return (victim == taker ? taker.Name : $"{victim.Name} gives to {taker.Name}", moment);
    }

    private static string Incoming(string data) => Path.Combine(data, "store.db.incoming");

    private Task ComeAsync(MomentKind kind, ChaosNode node) =>
        kind.FillsDisk() ? stage.FillAsync(node.Folder) : stage.KillAsync(node);

    // As the taker says; if it does not yet, one of the two.
    private ChaosNode Giver(ChaosNode taker)
    {
        var others = stage.Cluster.Nodes.Where(n => n != taker).ToArray();
        var reason = stage.Cluster.Last.Nodes.FirstOrDefault(n => n.Node == taker.Name)?.Reason ?? "";
        return others.FirstOrDefault(n => reason.Contains($"from {n.Name}", StringComparison.Ordinal))
            ?? others[stage.Random.Next(others.Length)];
    }

    // While nobody writes it is the only one who writes the journal.
    private async Task MeasureCompactionAsync(ChaosNode node)
    {
        await stage.CheckpointAsync(node);
        await stage.Writes.PauseAsync();
        try
        {
            await stage.CheckpointAsync(node);
            var began = DateTime.UtcNow;
            var ended = began;
            var log = new FileInfo(Path.Combine(node.Folder, "data", JournalFile.Name + "-wal"));
            await stage.UntilAsync(() => $"{node.Name} does not end to forget", () =>
            {
                log.Refresh();
                if (log.LastWriteTimeUtc > ended) ended = log.LastWriteTimeUtc;
                return DateTime.UtcNow - ended > Quiet;
            });
            await stage.Moments.ReachAsync(Operation.Compaction, Task.Delay(ended > began ? ended - began : Quiet));
        }
        finally
        {
            stage.Writes.GoOn();
        }
    }
}
