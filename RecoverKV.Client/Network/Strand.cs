using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace RecoverKV.Client.Network;

/// <summary>
/// Runs what it is given one after the other, on whatever thread of the pool is free: what reads a socket, decodes,
/// decides, encodes and writes. So a message changes threads where it enters the process and nowhere else; between
/// threads a hop costs more than most of these steps. A client has one, and a node. Thread-safe.
/// </summary>
/// <remarks>Nothing on it may block, and nothing may throw: as on the pool itself, that ends the process.</remarks>
internal sealed class Strand : IThreadPoolWorkItem
{
    /// <summary>How much it does before other work of the pool gets its turn.</summary>
    internal const int Turn = 64;

    private readonly ConcurrentQueue<IThreadPoolWorkItem> _queue = new();
    private int _taken;

    /// <summary>Runs it after what was given before.</summary>
    internal void Execute(IThreadPoolWorkItem run)
    {
        _queue.Enqueue(run);
        if (Take()) Schedule();
    }

    /// <summary>As <see cref="Execute(IThreadPoolWorkItem)"/>, but if the strand is idle, then before this returns and
    /// on this thread. For threads of the pool that hold no lock.</summary>
    internal void ExecuteHere(IThreadPoolWorkItem run)
    {
        _queue.Enqueue(run);
        if (Take()) Work();
    }

    void IThreadPoolWorkItem.Execute() => Work();

    private bool Take() => Interlocked.Exchange(ref _taken, 1) == 0;

    private void Schedule() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private void Work()
    {
        for (var done = 0; done < Turn && _queue.TryDequeue(out var run); done++) run.Execute();
        // Whoever adds something from here on takes the strand himself; what was added before is seen below.
        Interlocked.Exchange(ref _taken, 0);
        if (!_queue.IsEmpty && Take()) Schedule();
    }

    /// <summary>Lets one asynchronous method after the other go on on the strand, by awaiting it; used by one at a
    /// time.
    /// </summary>
    internal sealed class Entry(Strand strand) : IThreadPoolWorkItem, ICriticalNotifyCompletion
    {
        private Action _next = () => { };

        public bool IsCompleted => false;

        public Entry GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation)
        {
            _next = continuation;
            strand.ExecuteHere(this);
        }

        public void Execute() => _next();
    }
}
