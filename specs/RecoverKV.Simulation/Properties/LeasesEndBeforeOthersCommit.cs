using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R5, R8: when the sequencer of a view commits something new, no replica holds a lease of an older view, in
/// whatever state its process is.</summary>
internal sealed class LeasesEndBeforeOthersCommit(SimulatedCluster cluster) : Property(cluster)
{
    private readonly Dictionary<Epoch, long> _committed = [];

    protected override string Name => "Leases end before others commit";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        if (!core.IsSequencer) return;
        var epoch = core.View.Epoch;
        var committed = core.Applied.Value;
        if (committed < core.View.FirstUid.Value || _committed.GetValueOrDefault(epoch) == committed) return;
        _committed[epoch] = committed;
        foreach (var other in Cluster.Nodes)
        {
            if (other.Core is not { } older || older.View.Epoch >= epoch) continue;
            Hold(older.Mode(other.Clock) != NodeMode.Alive,
                $"{node.Id} commits uid {committed} in epoch {epoch} while {other.Id} is alive in {older.View}");
        }
    }
}
