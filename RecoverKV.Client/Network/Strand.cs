using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;

namespace RecoverKV.Client.Network;

/// <summary>
/// Runs what it is given one after the other, on whatever thread of the pool is free: what reads a socket, decodes, decides,
/// encodes and writes. So a message changes threads where it enters the process and nowhere else; between threads a hop
/// costs more than most of these steps. One per actor system, as the executor of a dispatcher of Akka's. Thread-safe.
/// </summary>
/// <remarks>Nothing on it may block, and nothing may throw: as on the pool itself, that ends the process.</remarks>
internal sealed class Strand : ExecutorService, IThreadPoolWorkItem
{
    /// <summary>How much it does before other work of the pool gets its turn.</summary>
    internal const int Turn = 64;

    private static readonly ConditionalWeakTable<ActorSystem, Strand> OfSystems = [];
    private readonly ConcurrentQueue<IRunnable> _queue = new();
    private int _taken;

    internal Strand()
        : base("recoverkv-strand")
    {
    }

    /// <summary>The strand of an actor system.</summary>
    internal static Strand Of(ActorSystem system) => OfSystems.GetValue(system, _ => new Strand());

    /// <summary>Runs it after what was given before.</summary>
    public override void Execute(IRunnable run)
    {
        _queue.Enqueue(run);
        if (Take()) Schedule();
    }

    /// <summary>As <see cref="Execute(IRunnable)"/>, but if the strand is idle, then before this returns and on this thread.
    /// For threads of the pool that hold no lock.</summary>
    internal void ExecuteHere(IRunnable run)
    {
        _queue.Enqueue(run);
        if (Take()) Work();
    }

    /// <inheritdoc/>
    public override void Shutdown()
    {
    }

    void IThreadPoolWorkItem.Execute() => Work();

    private bool Take() => Interlocked.Exchange(ref _taken, 1) == 0;

    private void Schedule() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private void Work()
    {
        for (var done = 0; done < Turn && _queue.TryDequeue(out var run); done++) run.Run();
        // Whoever adds something from here on takes the strand himself; what was added before is seen below.
        Interlocked.Exchange(ref _taken, 0);
        if (!_queue.IsEmpty && Take()) Schedule();
    }

    /// <summary>Lets one asynchronous method after the other go on on the strand, by awaiting it; used by one at a time.
    /// </summary>
    internal sealed class Entry(Strand strand) : IRunnable, ICriticalNotifyCompletion
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

        public void Run() => _next();

        void IThreadPoolWorkItem.Execute() => Run();
    }
}

/// <summary>Gives a dispatcher the strand of its actor system; named in the configuration.</summary>
internal sealed class StrandConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : ExecutorServiceConfigurator(config, prerequisites)
{
    /// <inheritdoc/>
    public override ExecutorService Produce(string id) => Strand.Of(Prerequisites.Settings.System);
}
