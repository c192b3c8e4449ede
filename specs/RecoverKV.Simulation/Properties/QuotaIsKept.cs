using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>The state never takes more than the largest quota, and nothing is refused for want of room that needs
/// none.</summary>
internal sealed class QuotaIsKept(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "The quota is kept";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        var quota = Cluster.Scenario.Options.MemoryQuota;
        Hold(core.State.Bytes <= quota,
            $"{node.Id} has {core.State.Bytes} bytes of data at uid {core.Applied}, where {quota} are allowed");
    }

    public override void OnWriteAnswer(SimulatedNode node, Attempt attempt, WriteAnswer answer) => Hold(
        answer.Status != WriteStatus.Full || attempt.Request!.Operations.Any(o => o.Kind == OperationKind.Put),
        $"{node.Id} refuses {Words.Of(attempt.Request!)}, which adds nothing");
}
