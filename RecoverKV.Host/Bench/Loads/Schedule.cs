namespace RecoverKV.Host.Bench.Loads;

/// <summary>
/// Which operation is next and when it should begin. In a closed loop it begins as soon as a caller is free. In an open
/// loop (a rate is given) it has a time of its own, from which its latency counts, whether a caller was free or not:
/// a store that stalls is charged for all operations that it kept from beginning (coordinated omission). Thread-safe.
/// </summary>
internal sealed class Schedule
{
    /// <summary>An open loop that cannot keep its rate goes on for this long after its end to serve what is
    /// late.</summary>
    public const long Overtime = 5 * Nanoseconds.PerSecond;

    private readonly double _interval;
    private readonly long _count;
    private readonly long _end;
    private long _last = -1;

    private Schedule(long start, long count, long end, double interval) =>
        (Start, _count, _end, _interval) = (start, count, end, interval);

    /// <summary>When the first operation begins.</summary>
    public long Start { get; }

    /// <summary>How many operations an open loop was too late to begin at all.</summary>
    public long NeverBegun => _interval > 0 ? Math.Max(0, _count - Volatile.Read(ref _last) - 1) : 0;

    /// <summary>This many operations, each as soon as a caller is free.</summary>
    public static Schedule Of(long start, long count) => new(start, count, long.MaxValue, 0);

    /// <summary>Operations for a time, each as soon as a caller is free.</summary>
    public static Schedule Closed(long start, long duration) => new(start, long.MaxValue, start + duration, 0);

    /// <summary>Operations for a time at a rate per second.</summary>
    public static Schedule Open(long start, long duration, double rate)
    {
        var interval = Nanoseconds.PerSecond / rate;
        return new Schedule(
            start, Math.Max(1, (long)(duration / interval)), start + duration + Overtime, interval);
    }

    /// <summary>The next operation; false at the end.</summary>
    /// <param name="now">The time.</param>
    /// <param name="ticket">Its number, from 0.</param>
    /// <param name="intended">When it should begin, which may lie ahead.</param>
    public bool TryNext(long now, out long ticket, out long intended)
    {
        (ticket, intended) = (-1, now);
        if (now >= _end) return false;
        ticket = Interlocked.Increment(ref _last);
        if (ticket >= _count)
        {
            Interlocked.Decrement(ref _last);
            return false;
        }

        if (_interval > 0) intended = Start + (long)(ticket * _interval);
        return true;
    }
}
