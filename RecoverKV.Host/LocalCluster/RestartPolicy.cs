namespace RecoverKV.Host.LocalCluster;

/// <summary>
/// How long to wait before a process that ended is started again: not at all, unless it fails again and again before it
/// is of use. What was killed from outside, or left as it was asked to, comes back at once; if that happens again and
/// again before it was in service (the system kills what takes too much memory), it waits as well.
/// </summary>
internal sealed class RestartPolicy
{
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongRun = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);

    /// <summary>No delay is longer.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromSeconds(10);

    /// <summary>How many runs in a row were of no use.</summary>
    public int Failures { get; private set; }

    /// <summary>The delay after a run that ended.</summary>
    /// <param name="exitCode">Its exit code; 128 and a signal's number if a signal ended it.</param>
    /// <param name="ranFor">How long it had run.</param>
    /// <param name="served">Whether it was in service; null: nobody looked.</param>
    public TimeSpan After(int exitCode, TimeSpan ranFor, bool? served = null)
    {
        if (ranFor >= Stable && served is not false || ranFor >= LongRun) Failures = 0;
        var outside = EndedFromOutside(exitCode);
        // Even then no spinning: something may kill it at each start.
        var least = outside && ranFor < First ? First : TimeSpan.Zero;
        if (outside && served is not false) return least;

        Failures++;
        var free = outside ? 3 : 1;
        if (Failures <= free) return least;
        var delay = First * Math.Pow(2, Math.Min(Failures - free - 1, 10));
        return delay < Longest ? delay : Longest;
    }

    /// <summary>Left in good order, or ended by SIGHUP, SIGINT, SIGKILL or SIGTERM.</summary>
    private static bool EndedFromOutside(int exitCode) => exitCode is 0 or 129 or 130 or 137 or 143;
}
