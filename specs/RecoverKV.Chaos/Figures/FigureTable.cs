using System.Globalization;

namespace RecoverKV.Chaos.Figures;

/// <summary>A row of the figures: what it is, and how it is read from what the command measured.</summary>
/// <param name="What">In words.</param>
/// <param name="Value">Null where a run has none.</param>
/// <param name="Form">How the number is written.</param>
/// <param name="Unit">Behind it.</param>
/// <param name="Beside">What else is said of it; the medians.</param>
internal sealed record Figure(
    string What, Func<Measured, double?> Value, string Form, string Unit = "",
    params (string Words, Func<Measured, double?> Value, string Form)[] Beside);

/// <summary>A command of the program, and the figures that it gives.</summary>
internal sealed record Bench(string Arguments, params Figure[] Figures);

/// <summary>The figures of the README.</summary>
internal static class FigureTable
{
    public static readonly Bench[] All =
    [
        new("multi --callers 256 --count 400000 --warmup 15",
            PerSecond("puts", "256 callers"), PerSecond("gets", "256 callers")),
        new("multi --callers 256 --count 400000 --warmup 20 --tls",
            PerSecond("puts", "256 callers, TLS"), PerSecond("gets", "256 callers, TLS")),
        new("multi --callers 1024 --count 400000 --warmup 15",
            PerSecond("puts", "1,024 callers"), PerSecond("gets", "1,024 callers")),
        new("multi --callers 256 --processes 8 --count 200000 --warmup 30",
            PerSecond("puts", "256 callers in 8 client processes"),
            PerSecond("gets", "256 callers in 8 client processes")),
        new("simple --count 5000 --warmup 10", PerSecond("puts", "1 caller"), PerSecond("gets", "1 caller")),
        new("mixed --callers 256 --duration 8 --warmup 12", new Figure(
            "operations/s, 95% gets, zipf 0.99, 256 callers", m => m.Of("all")?.PerSecond, "N0")),
        new("mixed --callers 1024 --reads 0 --rate 48000 --warmup 15 --duration 8",
            LatencyOf("p99 of a put at 48,000 puts/s, open loop")),
        new("recovery", Alive("a node killed at 100,000 writes, 20,000 more, restart until ALIVE")),
        new("recovery --count 1000000 --more 1000",
            Alive("restart of a node with 1,000,000 keys until ALIVE"),
            new Figure("resident memory of a node with 1,000,000 keys",
                m => m.Nodes.Max(n => n.ResidentBytes) / 1e6, "N0", " MB")),
        new("recovery --count 1000000 --all", new Figure(
            "the same, all three nodes at once, until the last is ALIVE",
            m => m.Recoveries.Max(r => r.Alive), "0.0", " s")),
        new("multi --callers 256 --count 800000 --warmup 15 --kill replica --stay-down", Kill("a replica")),
        new("multi --callers 256 --count 800000 --warmup 15 --kill sequencer --stay-down", Kill("the sequencer")),
    ];

    private static Figure PerSecond(string kind, string by) => new(
        $"{(kind == "gets" ? "linearizable gets" : kind)}/s, {by}", m => m.Of(kind)?.PerSecond, "N0", "",
        ("median {0} ms", m => m.Of(kind)?.Latency.P50, "0.00"),
        ("{0} µs of processor each", m => m.Of(kind)?.CpuMicroseconds, "0.0"));

    private static Figure LatencyOf(string what) => new(
        what, m => m.Of("puts")?.Latency.P99, "0.0", " ms",
        ("median {0} ms", m => m.Of("puts")?.Latency.P50, "0.0"),
        ("longest {0} ms", m => m.Of("puts")?.Latency.Max, "0"));

    private static Figure Alive(string what) => new(what, m => m.Recoveries.Max(r => r.Alive), "0.0", " s");

    private static Figure Kill(string whom) => new(
        $"puts/s above 90% again after kill -9 of {whom} of three nodes, which stays down",
        m => m.Kill?.BackAfterSeconds, "0.0", " s",
        ("no write for {0} s", m => m.Kill?.LongestPauseSeconds, "0.00"));

    /// <summary>The median of several runs with their range.</summary>
    public static string Cell(Figure figure, IReadOnlyList<Measured> runs)
    {
        double[] values = [.. runs.Select(figure.Value).OfType<double>().Order()];
        if (values.Length == 0) return "none";
        string Text(double value, string form) => value.ToString(form, CultureInfo.InvariantCulture);
        var cell = Text(Middle(values), figure.Form) + figure.Unit;
        if (values.Length > 1)
            cell += $" ({Text(values[0], figure.Form)} to {Text(values[^1], figure.Form)})";
        if (values.Length < runs.Count)
            cell += $"; not within the load in {runs.Count - values.Length} of {runs.Count}";
        foreach (var (words, value, form) in figure.Beside)
        {
            double[] beside = [.. runs.Select(value).OfType<double>().Order()];
            if (beside.Length > 0)
                cell += ", " + string.Format(CultureInfo.InvariantCulture, words, Text(Middle(beside), form));
        }

        return cell;
    }

    private static double Middle(double[] sorted) =>
        (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
