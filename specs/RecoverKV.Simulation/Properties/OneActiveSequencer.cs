using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R2: in an epoch only one node ever leads, and it is the one that the view names.</summary>
internal sealed class OneActiveSequencer(SimulatedCluster cluster) : Property(cluster)
{
    private readonly Dictionary<Epoch, NodeId> _leaders = [];

    protected override string Name => "One active sequencer per epoch";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        if (!core.IsSequencer) return;
        Hold(core.View.Sequencer == node.Id, $"{node.Id} leads in {core.View}");
        Hold(core.View.IsInSync(node.Member), $"{node.Id} leads beside no in-sync replica in {core.View}");
        if (_leaders.TryAdd(core.View.Epoch, node.Id)) return;
        Hold(_leaders[core.View.Epoch] == node.Id,
            $"{_leaders[core.View.Epoch]} and {node.Id} lead in epoch {core.View.Epoch}");
    }
}
