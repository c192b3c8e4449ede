using System.Diagnostics;

namespace RecoverKV.Chaos.Load;

/// <summary>The machine's monotonic clock: the same for all processes, and untouched by jumps of the wall
/// clock.</summary>
internal static class MonotonicClock
{
    /// <summary>Nanoseconds.</summary>
    public static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}
