namespace RecoverKV.Actors.Output;

/// <summary>
/// Lines on their way to an output that may be full, or that nobody reads: a thread of its own writes them, so that
/// whoever has something to say never waits for a reader. When too many wait, the newest are dropped and counted.
/// Thread-safe.
/// </summary>
/// <param name="write">Writes one line; it may block, and what it throws is of no interest to who speaks.</param>
/// <param name="most">How many lines may wait.</param>
internal sealed class LineQueue(Action<string> write, int most = 1000)
{
    private readonly object _gate = new();
    private readonly Queue<string> _lines = [];
    private bool _started;
    private bool _busy;
    private long _dropped;

    /// <summary>Adds a line; never blocks, never fails.</summary>
    public void Add(string line)
    {
        lock (_gate)
        {
            if (_lines.Count >= most)
            {
                _dropped++;
                return;
            }

            if (_dropped > 0)
            {
                _lines.Enqueue($"({_dropped} lines are missing here: nobody read them in time)");
                _dropped = 0;
            }

            _lines.Enqueue(line);
            if (!_started)
            {
                _started = true;
                new Thread(Run) { IsBackground = true, Name = "output" }.Start();
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until all lines are written; false if that takes too long.</summary>
    public bool Flush(TimeSpan patience)
    {
        var end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        lock (_gate)
        {
            while (_busy || _lines.Count > 0)
            {
                var left = end - Environment.TickCount64;
                if (left <= 0) return false;
                Monitor.Wait(_gate, TimeSpan.FromMilliseconds(left));
            }

            return true;
        }
    }

    private void Run()
    {
        while (true)
        {
            string line;
            lock (_gate)
            {
                _busy = false;
                Monitor.PulseAll(_gate);
                while (_lines.Count == 0) Monitor.Wait(_gate);
                line = _lines.Dequeue();
                _busy = true;
            }

            try
            {
                write(line);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
            {
                // Full, closed, or without a reader: there is nobody to tell.
            }
        }
    }
}
