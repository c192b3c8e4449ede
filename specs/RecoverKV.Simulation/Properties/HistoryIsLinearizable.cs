using RecoverKV.Simulation.Cluster;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation.Properties;

/// <summary>What the clients saw is linearizable, by their clocks and values alone. A search finds an order that
/// explains it; where it would take too long, the order that the store says it used is checked instead.</summary>
internal sealed class HistoryIsLinearizable(SimulatedCluster cluster) : Property(cluster)
{
    private const int MaxStates = 10_000;

    protected override string Name => "The history is linearizable";

    public override void AtEnd()
    {
        var history = Cluster.Clients.SelectMany(c => c.History, (c, o) => (Own: o, Client: c.Number))
            .Where(o => !o.Own.WasNotDone)
            .Select(o => (o.Own, InHistory: new Operation(
                o.Client, o.Own.Call, o.Own.Return, o.Own.Outcome, o.Own.Actions!)))
            .ToList();
        var verdict = Checker.Check([.. history.Select(o => o.InHistory)], MaxStates);
        if (verdict.Kind == VerdictKind.NotLinearizable)
            throw new ViolationException(Name, verdict.ToString()) { Verdict = verdict };
        if (verdict.Kind == VerdictKind.Linearizable) return;
        Cluster.Statistics.Undecided++;
        var order = history.Select(o => (Point: PointOf(o.Own), IsRead: o.Own.Request is null, o.InHistory))
            .Where(o => o.Point is not null)
            .OrderBy(o => o.Point).ThenBy(o => o.IsRead).ThenBy(o => o.InHistory.Call);
        Hold(Witness.Explains(order.Select(o => o.InHistory)), $"the store's own order does not explain it: {verdict}");
    }

    /// <summary>Its place in the order of uids; null if it never took effect.</summary>
    private long? PointOf(ClientOperation operation) => operation.Request is null
        ? operation.Point
        : operation.Names.Append((operation.Request.Session, operation.Request.Number))
            .Select(n => Cluster.Committed.ResultOf(n.Session, n.Number)?.Uid).FirstOrDefault(uid => uid is not null);
}
