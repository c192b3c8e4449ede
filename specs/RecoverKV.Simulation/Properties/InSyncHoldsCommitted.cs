using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R3, R4: when the sequencer commits a uid, every in-sync member has it on disk, and all before it. Disks
/// that lost data or were replaced since are excused.</summary>
internal sealed class InSyncHoldsCommitted(SimulatedCluster cluster) : Property(cluster)
{
    private readonly Dictionary<Epoch, long> _checked = [];

    protected override string Name => "In-sync members hold what is committed";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        if (!core.IsSequencer || core.Applied.Value == 0) return;
        var view = core.View;
        var committed = core.Applied.Value;
        if (_checked.GetValueOrDefault(view.Epoch, -1) == committed) return;
        _checked[view.Epoch] = committed;
        foreach (var other in Cluster.Nodes)
        {
            if (!view.IsInSync(other.Member) || other.Disk.LostFacts) continue;
            var image = other.Disk.Image;
            Hold(image.Contiguous >= committed && image.At(committed)?.Epoch == Cluster.Committed.At(committed).Epoch,
                $"{node.Id} commits uid {committed} in {view}, but {other.Id} has {image.Contiguous} on disk");
        }
    }
}
