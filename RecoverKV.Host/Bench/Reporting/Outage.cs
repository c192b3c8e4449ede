using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>What a kill did to the throughput.</summary>
internal static class Outage
{
    private const int Window = 50;

    /// <summary>Reads it off the figures of the load.</summary>
    /// <param name="figures">The load.</param>
    /// <param name="node">Who was killed.</param>
    /// <param name="wasSequencer">Whether it led.</param>
    /// <param name="at">When, by the clock of the figures.</param>
    public static KillReport Of(Figures figures, string node, bool wasSequencer, long at)
    {
        var series = figures.Series;
        var kill = Math.Clamp((int)((at - figures.StartedAt) / Figures.Interval), 0, Math.Max(series.Length - 1, 0));
        return new KillReport(
            node, wasSequencer, (at - figures.StartedAt) / (double)Nanoseconds.PerSecond,
            Seconds(LongestPause(series, kill)), Back(series, kill) is { } back ? Seconds(back) : null);
    }

    private static double Seconds(int intervals) => intervals * Figures.Interval / (double)Nanoseconds.PerSecond;

    private static int LongestPause(int[] series, int from)
    {
        int longest = 0, run = 0;
        for (var i = from; i < series.Length; i++)
        {
            run = series[i] == 0 ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest;
    }

    // The first half second that has nine tenths of what half a second had before.
    private static int? Back(int[] series, int kill)
    {
        if (kill == 0) return null;
        var before = series.Take(kill).Average();
        for (var i = kill; i + Window <= series.Length; i++)
        {
            if (series.AsSpan(i, Window).ToArray().Average() >= 0.9 * before) return i - kill;
        }

        return null;
    }
}
