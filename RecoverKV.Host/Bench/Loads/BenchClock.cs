using System.Diagnostics;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>The clock of a load: nanoseconds of a monotonic clock of the machine, the same in all processes.</summary>
internal interface IBenchClock
{
    /// <summary>Now.</summary>
    long Now { get; }

    /// <summary>Ends at that time or a little later.</summary>
    /// <param name="alarm">The caller's own; one wait at a time.</param>
    /// <param name="time">When; at once if it has passed.</param>
    ValueTask UntilAsync(Alarm alarm, long time);
}

/// <summary>Times in nanoseconds.</summary>
internal static class Nanoseconds
{
    /// <summary>A millisecond.</summary>
    public const long PerMillisecond = 1_000_000;

    /// <summary>A second.</summary>
    public const long PerSecond = 1_000_000_000;

    /// <summary>Now, by the machine's monotonic clock.</summary>
    public static long Now => FromTimestamp(Stopwatch.GetTimestamp());

    /// <summary>From a timestamp of <see cref="Stopwatch"/>.</summary>
    public static long FromTimestamp(long timestamp) => Stopwatch.Frequency == PerSecond
        ? timestamp
        : (long)(timestamp * ((double)PerSecond / Stopwatch.Frequency));

    /// <summary>From seconds.</summary>
    public static long FromSeconds(double seconds) => (long)(seconds * PerSecond);
}
