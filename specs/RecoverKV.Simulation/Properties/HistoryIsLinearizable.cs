using RecoverKV.Simulation.Cluster;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation.Properties;

/// <summary>What the clients saw is linearizable, by their clocks and values alone.</summary>
internal sealed class HistoryIsLinearizable(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "The history is linearizable";

    public override void AtEnd()
    {
        var history = new List<Operation>();
        for (var client = 0; client < Cluster.Clients.Length; client++)
        {
            foreach (var o in Cluster.Clients[client].History)
                history.Add(new Operation(client + 1, o.Call, o.Return, o.Outcome, o.Actions!));
        }

        var verdict = Checker.Check(history, maxStates: 200_000);
        Hold(verdict.Kind != VerdictKind.NotLinearizable, verdict.ToString());
        if (verdict.Kind == VerdictKind.Undecided) Cluster.Statistics.Undecided++;
    }
}
