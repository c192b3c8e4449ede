using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R12: the nodes that share a log are of one store, and no member of a view is of another.</summary>
internal sealed class StoresStayApart(SimulatedCluster cluster) : Property(cluster)
{
    private Guid _store;

    protected override string Name => "Stores stay apart";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        // A view that is not on disk yet may be gone with its process, and the next first one makes another id.
        if (core.Cluster == Guid.Empty || !core.IsViewDurable) return;
        if (_store == Guid.Empty) _store = core.Cluster;
        Hold(core.Cluster == _store, $"{node.Id} is of store {core.Cluster}, others of {_store}");
        if (!core.IsSequencer) return;
        foreach (var other in Cluster.Nodes)
            Hold(!other.IsForeign || !core.View.HasMember(other.Member),
                $"{core.View} has a member of another store, {other.Member}");
    }
}
