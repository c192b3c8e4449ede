using HdrHistogram;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>What was measured of one kind of operation; several processes' figures are merged. JSON is its form between
/// processes.</summary>
internal sealed record Figures
{
    /// <summary>The width of an interval of <see cref="Series"/>, in nanoseconds.</summary>
    public const long Interval = 10 * Nanoseconds.PerMillisecond;

    /// <summary>The kind of operation.</summary>
    public required string Name { get; init; }

    /// <summary>When the first one was to begin.</summary>
    public required long StartedAt { get; init; }

    /// <summary>When the last one ended.</summary>
    public required long EndedAt { get; init; }

    /// <summary>How many were done, in each interval from the start on.</summary>
    public required int[] Series { get; init; }

    /// <summary>The latencies of those that were done: pairs of nanoseconds and a count, ascending.</summary>
    public required long[] Latencies { get; init; }

    /// <summary>How many were not done, by kind of error.</summary>
    public required SortedDictionary<string, long> Errors { get; init; }

    /// <summary>The text of some error.</summary>
    public string? AnError { get; init; }

    /// <summary>How many were done.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (var i = 1; i < Latencies.Length; i += 2) count += Latencies[i];
            return count;
        }
    }

    /// <summary>How long it took, in seconds.</summary>
    public double Seconds => Math.Max(EndedAt - StartedAt, 1) / (double)Nanoseconds.PerSecond;

    /// <summary>Operations per second.</summary>
    public double PerSecond => Count / Seconds;

    /// <summary>The latencies as a histogram.</summary>
    public LongHistogram Histogram()
    {
        var histogram = NewHistogram();
        for (var i = 0; i < Latencies.Length; i += 2) histogram.RecordValueWithCount(Latencies[i], Latencies[i + 1]);
        return histogram;
    }

    /// <summary>A histogram from 1 ns to an hour, with three significant digits.</summary>
    public static LongHistogram NewHistogram() => new(1, LongestLatency, 3);

    /// <summary>The longest latency that is told from longer ones.</summary>
    public const long LongestLatency = 3600 * Nanoseconds.PerSecond;

    /// <summary>The content of a histogram as <see cref="Latencies"/>.</summary>
    public static long[] LatenciesOf(HistogramBase histogram)
    {
        var latencies = new List<long>();
        if (histogram.TotalCount == 0) return [];
        foreach (var step in histogram.RecordedValues())
        {
            if (step.CountAddedInThisIterationStep == 0) continue;
            latencies.Add(step.ValueIteratedTo);
            latencies.Add(step.CountAddedInThisIterationStep);
        }

        return [.. latencies];
    }

    /// <summary>The figures of several callers or processes, or of several kinds, as one.</summary>
    public static Figures Merge(string name, IReadOnlyList<Figures> parts)
    {
        var start = parts.Min(p => p.StartedAt);
        var histogram = NewHistogram();
        var errors = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var series = new int[parts.Max(p => p.Series.Length + Shift(p))];
        foreach (var part in parts)
        {
            histogram.Add(part.Histogram());
            for (var i = 0; i < part.Series.Length; i++) series[i + Shift(part)] += part.Series[i];
            foreach (var (kind, count) in part.Errors) errors[kind] = errors.GetValueOrDefault(kind) + count;
        }

        return new Figures
        {
            Name = name,
            StartedAt = start,
            EndedAt = parts.Max(p => p.EndedAt),
            Series = series,
            Latencies = LatenciesOf(histogram),
            Errors = errors,
            AnError = parts.Select(p => p.AnError).FirstOrDefault(e => e is not null),
        };

        int Shift(Figures part) => (int)((part.StartedAt - start) / Interval);
    }
}
