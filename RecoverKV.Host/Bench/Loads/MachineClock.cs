using System.Runtime.InteropServices;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>The clock of this machine. One thread wakes all callers of an open loop, in the order of their times.
/// </summary>
internal sealed class MachineClock : IBenchClock, IDisposable
{
    // Waking more often would take time from the store that is measured; waking less often would make starts late,
    // which counts as latency.
    private const long ShortestSleep = 100_000;
    private const long LongestSleep = 500_000;

    private readonly PriorityQueue<Alarm, long> _alarms = new();
    private readonly List<Alarm> _due = [];
    private Thread? _thread;
    private bool _disposed;

    /// <inheritdoc/>
    public long Now => Nanoseconds.Now;

    /// <inheritdoc/>
    public ValueTask UntilAsync(Alarm alarm, long time)
    {
        if (Now >= time) return ValueTask.CompletedTask;
        var wait = alarm.Set();
        lock (_alarms)
        {
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "bench clock" };
                _thread.Start();
            }

            _alarms.Enqueue(alarm, time);
            if (_alarms.Count == 1) Monitor.Pulse(_alarms);
        }

        return wait;
    }

    /// <summary>Ends the thread; nobody may wait any more.</summary>
    public void Dispose()
    {
        lock (_alarms)
        {
            _disposed = true;
            Monitor.Pulse(_alarms);
        }
    }

    private void Run()
    {
        while (true)
        {
            long next;
            lock (_alarms)
            {
                while (_alarms.Count == 0 && !_disposed) Monitor.Wait(_alarms);
                if (_disposed) return;
                var now = Now;
                while (_alarms.TryPeek(out var alarm, out next) && next <= now)
                {
                    _due.Add(alarm);
                    _alarms.Dequeue();
                }

                next -= now;
            }

            foreach (var alarm in _due) alarm.Ring();
            if (_due.Count == 0) Sleep(Math.Clamp(next, ShortestSleep, LongestSleep));
            _due.Clear();
        }
    }

    // The sleep of .NET has no parts of a millisecond.
    private static void Sleep(long nanoseconds)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            _ = nanosleep(new TimeSpec { Seconds = 0, Nanoseconds = (nint)nanoseconds }, 0);
        else
            Thread.Sleep(1);
    }

#pragma warning disable IDE1006, SYSLIB1054, CA5392 // The function's own name; no code may be unsafe for it.
    [DllImport("libc")]
    private static extern int nanosleep(in TimeSpec request, nint remaining);
#pragma warning restore IDE1006, SYSLIB1054, CA5392

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
