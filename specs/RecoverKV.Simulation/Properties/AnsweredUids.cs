using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Keeps the highest point of the order that any answer so far has shown to a client; all that begins later
/// must see it. It counts from the moment a core gives an answer: a client may have it at once.</summary>
internal sealed class AnsweredUids(SimulatedCluster cluster) : Property(cluster)
{
    private readonly List<(TimeSpan At, long Uid)> _steps = [(TimeSpan.Zero, 0)];

    protected override string Name => "Answered uids";

    public long Now => _steps[^1].Uid;

    /// <summary>What had been answered by then.</summary>
    public long At(TimeSpan time)
    {
        int low = 0, high = _steps.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_steps[middle].At <= time) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? 0 : _steps[low - 1].Uid;
    }

    public void Raise(long uid)
    {
        if (uid > Now) _steps.Add((Cluster.Scheduler.Now, uid));
    }

    public override void OnRequest(Attempt attempt)
    {
        if (attempt.Floor < 0) attempt.Floor = Now;
        if (attempt.Operation.Floor < 0) attempt.Operation.Floor = Now;
    }
}
