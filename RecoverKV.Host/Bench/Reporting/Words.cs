using System.Globalization;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>Figures as people read them; the same in the terminal and on the page.</summary>
internal static class Words
{
    /// <summary>The headings of the table of operations.</summary>
    public static readonly IReadOnlyList<string> Heading =
        [
            "operation", "per second", "done", "failed",
            "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "CPU µs each"
        ];

    /// <summary>A row of that table.</summary>
    public static IReadOnlyList<string> Row(OperationReport o) =>
    [
        o.Name, Number(o.PerSecond), Number(o.Count), Number(o.Errors.Values.Sum()),
        Milliseconds(o.Latency.P50), Milliseconds(o.Latency.P90), Milliseconds(o.Latency.P99),
        Milliseconds(o.Latency.P999), Milliseconds(o.Latency.Max),
        o.CpuMicroseconds is { } cpu ? cpu.ToString("F1", CultureInfo.InvariantCulture) : "-",
    ];

    /// <summary>The errors of an operation, by kind.</summary>
    public static string Errors(OperationReport o) =>
        $"{o.Name}: {string.Join(", ", o.Errors.Select(e => $"{Number(e.Value)} {e.Key}"))} ({o.AnError})";

    /// <summary>What else there is to say, in lines.</summary>
    public static IEnumerable<string> Lines(Report report)
    {
        foreach (var operation in report.Operations.Where(o => o.Errors.Count > 0 && !o.IsTotal))
            yield return Errors(operation);
        if (report.Kill is { } kill)
        {
            var back = kill.BackAfterSeconds is { } seconds
                ? $"throughput above 90% of before again after {Seconds(seconds)}"
                : "throughput not above 90% of before again within the puts";
            yield return $"{kill.Node} ({(kill.WasSequencer ? "the sequencer" : "a replica")}) was killed at "
                + $"{Seconds(kill.AtSecond)}: longest pause {Seconds(kill.LongestPauseSeconds)}, {back}";
        }

        foreach (var r in report.Recoveries)
        {
            yield return $"{r.Node} ALIVE {Seconds(r.Alive)} after its start: process start {Seconds(r.Listens)}, "
                + $"journal replay {Seconds(r.Replayed - r.Listens)}, gaps fetched {Seconds(r.Complete - r.Replayed)}, "
                + $"until ALIVE {Seconds(r.Alive - r.Complete)}";
        }

        if (report.Recoveries.Count > 1)
            yield return $"all nodes ALIVE {Seconds(report.Recoveries.Max(r => r.Alive))} after their start";
        foreach (var node in report.Nodes)
            yield return $"{node.Node}: "
                + $"{(node.ResidentBytes == 0 ? "down" : $"{Megabytes(node.ResidentBytes)} of memory")}, "
                + $"{Megabytes(node.DataBytes)} of data";
        yield return $"acknowledged {Number(report.Check.Acknowledged)}, read back {Number(report.Check.ReadBack)}, "
            + $"wrong {Number(report.Check.Wrong)}";
    }

    /// <summary>Where it ran, in one line.</summary>
    public static string Of(Machine machine) =>
        $"{machine.Processor}, {machine.Cores} cores, {Number(machine.MemoryBytes / 1e9)} GB, "
        + $"{machine.System}, {machine.Runtime}"
        + (machine.Load is null ? "" : $", load before {machine.Load}");

    /// <summary>A number without decimals.</summary>
    public static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Milliseconds, with three digits that count.</summary>
    public static string Milliseconds(double ms) => ms.ToString(
        ms switch { >= 100 => "F0", >= 10 => "F1", >= 1 => "F2", _ => "F3" }, CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s");

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N0} MB");
}
