using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R10: replicas that have applied the same have the same state, whichever checkpoints they began
/// with.</summary>
internal sealed class EqualUidsEqualStates(SimulatedCluster cluster) : Property(cluster)
{
    private readonly Dictionary<Uid, (ulong Digest, long Revision, int Sessions, long Bytes)> _states = [];

    protected override string Name => "Equal uids, equal states";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        var state = core.State;
        var seen = (state.Digest, state.Revision, state.Sessions.Count, state.Sessions.Bytes);
        if (_states.TryAdd(core.Applied, seen)) return;
        Hold(_states[core.Applied] == seen,
            $"{node.Id} has {seen} at uid {core.Applied}, another one had {_states[core.Applied]}");
    }
}
