using RecoverKV.Client.Contracts;
using RecoverKV.Host.Bench.Cluster;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Host.Bench;

/// <summary>A kill -9 after a quarter of the puts.</summary>
/// <param name="Sequencer">Whether of the sequencer or of a replica that is not.</param>
/// <param name="StaysDown">Whether the node stays down; else it is started again at once.</param>
internal sealed record KillPlan(bool Sequencer, bool StaysDown);

/// <summary><c>bench simple</c> and <c>bench multi</c>: each key is written once, then each is read once.</summary>
internal sealed class PutGetBench
{
    /// <summary>The time until all processes have heard when to begin.</summary>
    private static readonly long StartDelay = 100 * Nanoseconds.PerMillisecond;

    private const int ReadBackRounds = 3;

    /// <summary>How many callers.</summary>
    public required int Callers { get; init; }

    /// <summary>How many keys.</summary>
    public required int Count { get; init; }

    /// <summary>Bytes of a key.</summary>
    public required int KeySize { get; init; }

    /// <summary>Bytes of a value.</summary>
    public required int ValueSize { get; init; }

    /// <summary>How many client processes; 1: this one.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Whom to kill; null: nobody.</summary>
    public KillPlan? Kill { get; init; }

    /// <summary>Runs it.</summary>
    public async Task<CheckResult> RunAsync(BenchSession session)
    {
        session.Parameters["callers"] = Text(Callers);
        session.Parameters["client processes"] = Text(Processes);
        session.Parameters["keys"] = Text(Count);
        session.Parameters["key size"] = Text(KeySize);
        session.Parameters["value size"] = Text(ValueSize);
        if (Kill is not null)
            session.Parameters["kill"] = $"{(Kill.Sequencer ? "sequencer" : "replica")}, after a quarter of the puts"
                + (Kill.StaysDown ? ", and it stays down" : "");
        var loads = new List<IPutGetLoad>();
        try
        {
            if (Processes == 1) loads.Add(new PutGetLoad(session.Client, Job(session, 0)));
            else
            {
                session.Say($"starting {Processes} client processes");
                var starting = Enumerable.Range(0, Processes)
                    .Select(i => WorkerProcess.StartAsync(Job(session, i), session.Interrupt)).ToArray();
                try
                {
                    loads.AddRange(await Task.WhenAll(starting));
                }
                catch
                {
                    foreach (var started in starting)
                        if (started.IsCompletedSuccessfully) loads.Add(await started);
                    throw;
                }
            }

            return await RunAsync(session, loads);
        }
        finally
        {
            foreach (var load in loads) await load.DisposeAsync();
        }
    }

    private async Task<CheckResult> RunAsync(
        BenchSession session, List<IPutGetLoad> loads)
    {
        if (session.WarmUpSeconds > 0)
        {
            session.Say("warming up");
            await PhaseAsync(session, loads, PutGetPhase.WarmUp, session.WarmUpSeconds);
        }

        int[] workers = [.. loads.OfType<WorkerProcess>().Select(w => w.Pid)];
        session.Say("puts");
        var killing = Kill is null ? null : KillAfterQuarter(session, (PutGetLoad)loads[0], Kill);
        var puts = await session.MeasureAsync(
            async () => [(await PhaseAsync(session, loads, PutGetPhase.Puts)).Figures], workers);
        if (killing is not null)
        {
            var (victim, at) = await killing;
            session.Kill = Outage.Of(puts[0], victim.Node, victim.IsSequencer, at);
        }

        session.Say("gets");
        CheckResult? check = null;
        await session.MeasureAsync(async () =>
        {
            var result = await PhaseAsync(session, loads, PutGetPhase.Gets);
            check = result.Check;
            return [result.Figures];
        }, workers);
        for (var round = 0; round < ReadBackRounds && check!.ReadBack + check.Wrong < check.Acknowledged; round++)
            check = (await PhaseAsync(session, loads, PutGetPhase.Rest)).Check;
        return check!;
    }

    private static async Task<PhaseResult> PhaseAsync(
        BenchSession session, List<IPutGetLoad> loads, PutGetPhase phase, double seconds = 0)
    {
        var start = Nanoseconds.Now + (loads.Count > 1 ? StartDelay : 0);
        var results = await Task.WhenAll(loads.Select(l => l.RunAsync(phase, start, seconds, session.Interrupt)));
        return new PhaseResult(
            Figures.Merge(results[0].Figures.Name, [.. results.Select(r => r.Figures)]),
            CheckResult.Merge([.. results.Select(r => r.Check)]));
    }

    private async Task<(NodeStatus Victim, long At)> KillAfterQuarter(
        BenchSession session, PutGetLoad load, KillPlan plan)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var quarter = Count / 4;
        load.BeforePut = ticket =>
        {
            if (ticket == quarter) reached.TrySetResult();
        };
        var victim = await session.VictimAsync(plan.Sequencer);
        await reached.Task.WaitAsync(session.Interrupt);
        var at = Nanoseconds.Now;
        session.Cluster!.Kill(victim.Node, plan.StaysDown);
        return (victim, at);
    }

    // The keys and callers are shared out as evenly as they can be.
    private PutGetJob Job(BenchSession session, int process)
    {
        var (from, to) = (Share(Count, process), Share(Count, process + 1));
        return new PutGetJob
        {
            Contact = session.Contact,
            TimeoutSeconds = session.TimeoutSeconds,
            Tls = session.Tls,
            Callers = Share(Callers, process + 1) - Share(Callers, process),
            First = from,
            Count = to - from,
            KeySize = KeySize,
            ValueSize = ValueSize,
            Run = session.Run,
        };
    }

    private int Share(int whole, int processes) => (int)((long)whole * processes / Processes);

    private static string Text(int number) => number.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
}
