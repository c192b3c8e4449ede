using HdrHistogram;
using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>Latencies in milliseconds.</summary>
internal sealed record LatencyReport(
    double Mean, double P50, double P90, double P99, double P999, double Max);

/// <summary>A latency below which a share of the operations stayed.</summary>
internal readonly record struct PercentilePoint(double Percentile, double Milliseconds);

/// <summary>Operations per second over time.</summary>
/// <param name="IntervalSeconds">The width of each interval.</param>
/// <param name="PerSecond">One number for each.</param>
internal sealed record ThroughputReport(double IntervalSeconds, IReadOnlyList<double> PerSecond);

/// <summary>One kind of operation.</summary>
internal sealed record OperationReport
{
    private const int MostPoints = 240;

    /// <summary>The percentiles of the distribution.</summary>
    private static readonly double[] Percentiles =
    [
        0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85,
        90, 92.5, 95, 97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99, 99.999, 100,
    ];

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it sums up the others.</summary>
    public bool IsTotal { get; init; }

    /// <summary>How many were done.</summary>
    public required long Count { get; init; }

    /// <summary>In how long.</summary>
    public required double Seconds { get; init; }

    /// <summary>How many a second.</summary>
    public required double PerSecond { get; init; }

    /// <summary>Their latencies.</summary>
    public required LatencyReport Latency { get; init; }

    /// <summary>How many were not done, by kind of error.</summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>The text of some error.</summary>
    public string? AnError { get; init; }

    /// <summary>Processor time of all nodes and clients together; null if it is not known.</summary>
    public double? CpuMicroseconds { get; init; }

    /// <summary>The latencies in full.</summary>
    public required IReadOnlyList<PercentilePoint> Distribution { get; init; }

    /// <summary>The throughput over time.</summary>
    public required ThroughputReport Throughput { get; init; }

    /// <summary>Makes it from what was measured.</summary>
    /// <param name="figures">The figures.</param>
    /// <param name="cpu">Processor time of all that had to do with it.</param>
    /// <param name="isTotal">Whether it sums up others.</param>
    public static OperationReport Of(Figures figures, TimeSpan? cpu = null, bool isTotal = false)
    {
        var histogram = figures.Histogram();
        var count = figures.Count;
        return new OperationReport
        {
            Name = figures.Name,
            IsTotal = isTotal,
            Count = count,
            Seconds = figures.Seconds,
            PerSecond = figures.PerSecond,
            Latency = new LatencyReport(
                count == 0 ? 0 : histogram.GetMean() / Nanoseconds.PerMillisecond,
                At(50), At(90), At(99), At(99.9), At(100)),
            Errors = figures.Errors,
            AnError = figures.AnError,
            CpuMicroseconds = count == 0 ? null : cpu?.TotalMicroseconds / count,
            Distribution = count == 0 ? [] : [.. Percentiles.Select(p => new PercentilePoint(p, At(p)))],
            Throughput = ThroughputOf(figures),
        };

        double At(double percentile) => count == 0
            ? 0
            : histogram.GetValueAtPercentile(percentile) / (double)Nanoseconds.PerMillisecond;
    }

    private static ThroughputReport ThroughputOf(Figures figures)
    {
        const int shortest = 10;
        var length = figures.Series.Length;
        var width = Math.Max(shortest, (length + MostPoints - 1) / MostPoints);
        var interval = width * Figures.Interval / (double)Nanoseconds.PerSecond;
        // The last interval counts only if the load lasted to its end; else the line would seem to drop.
        var whole = Math.Max(length / width, Math.Min(length, 1));
        return new ThroughputReport(
            interval,
            [.. Enumerable.Range(0, whole).Select(i => figures.Series.Skip(i * width).Take(width).Sum() / interval)]);
    }
}
