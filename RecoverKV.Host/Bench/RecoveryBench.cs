using System.Globalization;
using RecoverKV.Host.Bench.Cluster;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Host.Bench;

/// <summary><c>bench recovery</c>: how long a killed node, or the whole cluster, takes to come back.</summary>
internal sealed class RecoveryBench
{
    private const int ReadBackRounds = 3;

    /// <summary>How many callers write.</summary>
    public required int Callers { get; init; }

    /// <summary>How many writes there are before the kill.</summary>
    public required int Count { get; init; }

    /// <summary>How many follow while the node is down.</summary>
    public required int More { get; init; }

    /// <summary>Bytes of a key.</summary>
    public required int KeySize { get; init; }

    /// <summary>Bytes of a value.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Whether all nodes are killed.</summary>
    public required bool All { get; init; }

    /// <summary>Runs it.</summary>
    public async Task<CheckResult> RunAsync(BenchSession session)
    {
        var cluster = session.Cluster!;
        var more = All ? 0 : More;
        Describe(session.Parameters);
        await using var load = new PutGetLoad(session.Client, new PutGetJob
        {
            Contact = session.Contact,
            TimeoutSeconds = session.TimeoutSeconds,
            Tls = session.Tls,
            Callers = Callers,
            First = 0,
            Count = Count + more,
            KeySize = KeySize,
            ValueSize = ValueSize,
            Run = session.Run,
        });
        session.Say($"writing {Count} keys");
        await MeasureAsync(session, load, "puts before", PutGetPhase.Puts, 0, Count);
        string[] victims = All
            ? [.. cluster.Nodes.Select(n => n.Id)]
            : [(await session.VictimAsync(sequencer: false)).Node];
        session.Say($"killing {string.Join(", ", victims)}");
        foreach (var victim in victims) cluster.Kill(victim, hold: true);
        foreach (var victim in victims) await cluster.GoneAsync(victim, session.Interrupt);
        if (more > 0)
        {
            session.Say($"writing {more} keys more");
            await MeasureAsync(session, load, "puts without it", PutGetPhase.Puts, Count, more);
        }

        session.Say("starting again");
        session.Recoveries = await new RecoveryWatch(session.Client, cluster, victims).RunAsync(session.Interrupt);
        session.Say("reading back");
        var check = await MeasureAsync(session, load, "gets after", PutGetPhase.Gets, 0, Count + more);
        for (var round = 0; round < ReadBackRounds && check.ReadBack + check.Wrong < check.Acknowledged; round++)
            check = (await load.RunAsync(PutGetPhase.Rest, Nanoseconds.Now, 0, session.Interrupt)).Check;
        return check;
    }

    private static async Task<CheckResult> MeasureAsync(
        BenchSession session, PutGetLoad load, string name, PutGetPhase phase, int from, int count)
    {
        CheckResult? check = null;
        await session.MeasureAsync(async () =>
        {
            var result = await load.RunAsync(phase, from, count, session.Interrupt);
            check = result.Check;
            return [result.Figures with { Name = name }];
        });
        return check!;
    }

    private void Describe(Dictionary<string, string> parameters)
    {
        parameters["killed"] = All ? "all nodes" : "a node that is not the sequencer";
        parameters["writes before"] = Count.ToString("N0", CultureInfo.InvariantCulture);
        if (!All) parameters["writes while it is down"] = More.ToString("N0", CultureInfo.InvariantCulture);
        parameters["callers"] = Callers.ToString("N0", CultureInfo.InvariantCulture);
        parameters["key size"] = KeySize.ToString(CultureInfo.InvariantCulture);
        parameters["value size"] = ValueSize.ToString(CultureInfo.InvariantCulture);
    }
}
