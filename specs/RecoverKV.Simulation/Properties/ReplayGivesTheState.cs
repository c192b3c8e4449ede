using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>What a replica has after a restart is what its journal says, entry by entry.</summary>
internal sealed class ReplayGivesTheState(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "Replay gives back the durable state";

    public override void OnReplayed(SimulatedNode node, ReplicaCore core)
    {
        var image = node.Disk.Image;
        Hold(core.View.Epoch == image.View.Epoch, $"{node.Id} has {core.View}, its journal {image.View}");
        Hold(core.Contiguous.Value == image.Contiguous,
            $"{node.Id} is contiguous up to {core.Contiguous}, its journal up to {image.Contiguous}");
        var committed = Math.Min(image.Committed, image.Contiguous);
        Hold(core.Committed.Value == committed, $"{node.Id} committed {core.Committed}, its journal {committed}");
    }
}
