using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>What a replica has after a restart is what its journal says, entry by entry, also if it began with a
/// checkpoint.</summary>
internal sealed class ReplayGivesTheState(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "Replay gives back the durable state";

    public override void OnReplayed(SimulatedNode node, ReplicaCore core)
    {
        var image = node.Disk.Image;
        var from = node.Disk.Saved.Base;
        // Of a journal that lost what the checkpoint has seen nothing is asked: such a replica takes no part.
        if (node.Disk.Facts.Count < from.Fact) return;
        Hold(core.View.Epoch == image.View.Epoch, $"{node.Id} has {core.View}, its journal {image.View}");
        Hold(core.Contiguous.Value == image.Contiguous,
            $"{node.Id} is contiguous up to {core.Contiguous}, its journal up to {image.Contiguous}");
        var committed = Math.Max(
            from.Applied.Value, Math.Min(Math.Max(image.Committed, from.Committed.Value), image.Contiguous));
        Hold(core.Applied.Value == committed, $"{node.Id} committed {core.Applied}, its journal {committed}");
    }
}
