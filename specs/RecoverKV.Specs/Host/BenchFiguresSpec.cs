using System.Text.Json;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Specs.Host;

public sealed class BenchFiguresSpec
{
    [Fact]
    public void Percentiles_are_those_of_the_latencies()
    {
        // 1 ms to 1000 ms, each once.
        var report = OperationReport.Of(Figures(0, Enumerable.Range(1, 1000)), TimeSpan.FromMilliseconds(20));
        Assert.Equal(1000, report.Count);
        Near(500, report.Latency.P50);
        Near(900, report.Latency.P90);
        Near(990, report.Latency.P99);
        Near(999, report.Latency.P999);
        Near(1000, report.Latency.Max);
        Near(500.5, report.Latency.Mean);
        Assert.Equal(20, report.CpuMicroseconds);
        Assert.True(report.Distribution.Zip(report.Distribution.Skip(1)).All(
            p => p.Item1.Percentile < p.Item2.Percentile && p.Item1.Milliseconds <= p.Item2.Milliseconds));
    }

    [Fact]
    public void Merged_figures_are_as_if_one_had_measured_all()
    {
        var random = new Random(5);
        var parts = Enumerable.Range(0, 8)
            .Select(_ => Enumerable.Range(0, 500).Select(_ => random.Next(1, 9000)).ToArray());
        var all = parts.ToArray();
        var merged = Merged(all);
        var whole = Figures(0, all.SelectMany(l => l));
        Assert.Equal(whole.Latencies, merged.Latencies);
        Assert.Equal(whole.Count, merged.Count);
        Assert.Equal(whole.EndedAt, merged.EndedAt);
        Assert.Equal(whole.Series, merged.Series);
    }

    [Fact]
    public void Figures_of_processes_that_began_apart_are_put_in_their_places()
    {
        var early = Figures(0, [5, 15, 15]);
        var late = Figures(20 * Nanoseconds.PerMillisecond, [5]) with
        {
            Errors = new SortedDictionary<string, long> { ["not done"] = 2 },
            AnError = "gone",
        };
        var merged = RecoverKV.Host.Bench.Loads.Figures.Merge("both", [late, early]);
        Assert.Equal([1, 2, 1], merged.Series);
        Assert.Equal(0, merged.StartedAt);
        Assert.Equal(25 * Nanoseconds.PerMillisecond, merged.EndedAt);
        Assert.Equal(2, merged.Errors["not done"]);
        Assert.Equal("gone", merged.AnError);
    }

    [Fact]
    public void Figures_travel_between_processes_as_they_are()
    {
        var sent = new PhaseResult(Figures(7, [1, 2, 2, 30]), new CheckResult(4, 3, 1, "a key"));
        var text = JsonSerializer.Serialize(sent);
        Assert.DoesNotContain('\n', text);
        var received = JsonSerializer.Deserialize<PhaseResult>(text)!;
        Assert.Equal(sent.Check, received.Check);
        Assert.Equal(sent.Figures.Latencies, received.Figures.Latencies);
        Assert.Equal(sent.Figures.Series, received.Figures.Series);
        Assert.Equal((7, sent.Figures.EndedAt), (received.Figures.StartedAt, received.Figures.EndedAt));
    }

    [Fact]
    public void Nothing_done_gives_no_figures_and_no_failure()
    {
        var report = OperationReport.Of(Figures(0, []), TimeSpan.FromSeconds(1));
        Assert.Equal((0, 0, 0, null), (report.Count, report.Latency.P50, report.Latency.Max, report.CpuMicroseconds));
        Assert.Empty(report.Distribution);
    }

    [Fact]
    public void A_kill_shows_as_a_pause_and_a_way_back()
    {
        // A second at 10 an interval, 1.2 s of nothing, half a second at half the rate, then all of it.
        int[] series =
        [
            .. Enumerable.Repeat(10, 100), .. Enumerable.Repeat(0, 120), .. Enumerable.Repeat(5, 50),
            .. Enumerable.Repeat(10, 100),
        ];
        var figures = Figures(0, []) with { Series = series };
        var kill = Outage.Of(figures, "node1", wasSequencer: true, Nanoseconds.PerSecond);
        Assert.Equal(1, kill.AtSecond);
        Assert.Equal(1.2, kill.LongestPauseSeconds, 6);
        // A half second with nine tenths may begin with a tenth of a second at the half rate.
        Assert.Equal(1.6, kill.BackAfterSeconds!.Value, 6);
        Assert.Null(
            Outage.Of(figures with { Series = series[..240] }, "node1", true, Nanoseconds.PerSecond).BackAfterSeconds);
    }

    [Fact]
    public void The_throughput_over_time_adds_up_to_the_operations()
    {
        var figures = Figures(0, [])
            with
        { Series = [.. Enumerable.Repeat(3, 1000)], EndedAt = Nanoseconds.FromSeconds(10) };
        var throughput = OperationReport.Of(figures).Throughput;
        Assert.Equal(3000, throughput.PerSecond.Sum(r => r * throughput.IntervalSeconds), 6);
        Assert.All(throughput.PerSecond, r => Assert.Equal(300, r, 6));
    }

    private static Figures Merged(int[][] parts) =>
        RecoverKV.Host.Bench.Loads.Figures.Merge("operations", [.. parts.Select(p => Figures(0, p))]);

    /// <summary>What a recorder makes of these latencies in ms, all of operations that began at the start.</summary>
    private static Figures Figures(long start, IEnumerable<int> milliseconds)
    {
        var recorder = new Recorder(start, ["operations"], 4);
        var caller = 0;
        foreach (var latency in milliseconds)
            recorder.Done(caller++, 0, start, start + latency * Nanoseconds.PerMillisecond);
        return recorder.Collect()[0];
    }

    private static void Near(double expected, double actual) =>
        Assert.InRange(actual, expected * 0.999, expected * 1.001);
}
