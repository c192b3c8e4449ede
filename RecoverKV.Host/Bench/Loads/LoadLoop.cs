using RecoverKV.Client;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>One of the callers of a load; it has one operation under way at a time.</summary>
internal sealed class Caller(int index, int bufferSize)
{
    /// <summary>Its number, from 0.</summary>
    public int Index { get; } = index;

    /// <summary>Its own choices.</summary>
    public Random Random { get; } = new(index);

    /// <summary>For the value that it writes.</summary>
    public byte[] Buffer { get; } = new byte[bufferSize];

    /// <summary>Which kind of operation it does now; the workload says so before it begins.</summary>
    public int Kind { get; set; }

    /// <summary>What it waits on.</summary>
    public Alarm Alarm { get; } = new();
}

/// <summary>What the callers do.</summary>
internal abstract class Workload
{
    /// <summary>The kinds of operations.</summary>
    public abstract IReadOnlyList<string> Kinds { get; }

    /// <summary>The length of a caller's buffer.</summary>
    public abstract int BufferSize { get; }

    /// <summary>Does one operation.</summary>
    /// <exception cref="RecoverKvException">It was not done.</exception>
    public abstract ValueTask ExecuteAsync(Caller caller, long ticket);
}

/// <summary>Lets callers do operations by a schedule, and takes down what each took.</summary>
internal sealed class LoadLoop(IBenchClock clock, Workload workload, int callers)
{
    private readonly int _mostFailures = 2 * callers + 3;
    private int _failuresInARow;
    private volatile bool _hopeless;

    /// <summary>Runs the load; the figures of each kind of operation.</summary>
    /// <exception cref="CommandFailedException">Nothing but errors came.</exception>
    public async Task<Figures[]> RunAsync(Schedule schedule, CancellationToken interrupt)
    {
        var recorder = new Recorder(schedule.Start, workload.Kinds, callers);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(i => Task.Run(
            () => CallAsync(new Caller(i, workload.BufferSize), schedule, recorder, interrupt), interrupt)));
        interrupt.ThrowIfCancellationRequested();
        recorder.NeverBegun(schedule.NeverBegun);
        var figures = recorder.Collect();
        if (_hopeless)
            throw new CommandFailedException(
                $"nothing but errors any more: {figures.Select(f => f.AnError).First(e => e is not null)}");
        return figures;
    }

    private async Task CallAsync(Caller caller, Schedule schedule, Recorder recorder, CancellationToken interrupt)
    {
        await clock.UntilAsync(caller.Alarm, schedule.Start);
        while (!interrupt.IsCancellationRequested && !_hopeless
            && schedule.TryNext(clock.Now, out var ticket, out var intended))
        {
            await clock.UntilAsync(caller.Alarm, intended);
            try
            {
                await workload.ExecuteAsync(caller, ticket);
                recorder.Done(caller.Index, caller.Kind, intended, clock.Now);
                if (_failuresInARow != 0) Volatile.Write(ref _failuresInARow, 0);
            }
            catch (RecoverKvException e)
            {
                recorder.Failed(caller.Index, caller.Kind, clock.Now, e);
                // A cluster that is gone would otherwise be asked to the last operation, a deadline for each.
                if (Interlocked.Increment(ref _failuresInARow) > _mostFailures) _hopeless = true;
            }
        }
    }
}
