using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>
/// R5: a linearizable read shows its keys as they were at one point of the order, not before anything that had been
/// answered when it reached the node. A stale read shows a point, too, and not older than it says. Uids order all
/// writes, so this decides linearizability at once; the search over the history is the second, independent opinion.
/// </summary>
internal sealed class ReadsSeeAnswers(SimulatedCluster cluster, AnsweredUids answered) : Property(cluster)
{
    protected override string Name => "Reads see what was answered before";

    public override void OnReadAnswer(SimulatedNode node, Attempt attempt, ReadAnswer answer)
    {
        var operation = attempt.Operation;
        Hold(answer.Id == operation.Read.Id, $"{node.Id} answers read {answer.Id} to {operation.Read.Id}");
        Hold(answer.Status != ReadStatus.Invalid, $"{node.Id} finds a good read invalid: {answer.Text}");
        if (answer.Status != ReadStatus.Done) return;
        var versions = operation.Read.Keys.Zip(answer.Versions, (key, version) => (Values.Index(key),
            version?.Uid ?? 0, version is null ? 0 : Values.Id(version.Value))).ToArray();
        Hold(versions.Length == operation.Read.Keys.Count, $"{node.Id} answers {Words.Of(answer)}");
        var isStale = operation.Consistency == ReadConsistency.Stale;
        var floor = !isStale ? attempt.Floor : answer.AgeMilliseconds < 0 ? 0 : answered.At(Oldest(answer));
        var point = Cluster.Committed.FirstPoint(versions, floor);
        if (point is null)
        {
            throw Broken($"{node.Id} answers {(isStale ? "stale " : "")}{Words.Of(answer)}, but uid {floor} "
                + $"had been answered when it began, and the order has no such point from there on");
        }

        if (isStale) return;
        answered.Raise(point.Value);
        attempt.Point = point;
    }

    /// <summary>The age is measured by a clock that drifts, and told in whole milliseconds.</summary>
    private TimeSpan Oldest(ReadAnswer answer) =>
        Cluster.Scheduler.Now - TimeSpan.FromMilliseconds((answer.AgeMilliseconds + 1) * 1.06);
}
