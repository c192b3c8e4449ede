namespace RecoverKV.Simulation.Cluster;

/// <summary>Simulated time and what is due in it. Things due at the same time happen in the order of their
/// scheduling, so that a run is the same every time.</summary>
internal sealed class Scheduler
{
    private readonly PriorityQueue<Action, (long At, long Order)> _queue = new();
    private long _order;

    public TimeSpan Now { get; private set; }

    /// <summary>Counts events: a position in the one order of all that happens.</summary>
    public long Steps { get; private set; }

    public void After(TimeSpan delay, Action action) =>
        _queue.Enqueue(action, (Now.Ticks + Math.Max(0, delay.Ticks), _order++));

    /// <summary>Runs the next event.</summary>
    public void Step()
    {
        if (!_queue.TryDequeue(out var action, out var due)) throw new InvalidOperationException("Nothing is due.");
        Now = TimeSpan.FromTicks(due.At);
        Steps++;
        action();
    }
}
