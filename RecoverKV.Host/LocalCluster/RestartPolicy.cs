namespace RecoverKV.Host.LocalCluster;

/// <summary>
/// How long to wait before a process that ended is started again: not at all, unless it fails by itself right after
/// its start, again and again. What was killed from outside, or left as it was asked to, comes back at once.
/// </summary>
internal sealed class RestartPolicy
{
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private int _failures;

    /// <summary>The delay after a run that ended.</summary>
    /// <param name="exitCode">Its exit code; 128 and a signal's number if a signal ended it.</param>
    /// <param name="ranFor">How long it had run.</param>
    public TimeSpan After(int exitCode, TimeSpan ranFor)
    {
        if (ranFor >= Stable) _failures = 0;
        if (EndedFromOutside(exitCode))
        {
            // Even then no spinning: something may kill it at each start.
            return ranFor < First ? First : TimeSpan.Zero;
        }

        _failures++;
        if (_failures == 1) return TimeSpan.Zero;
        var delay = First * Math.Pow(2, Math.Min(_failures - 2, 10));
        return delay < Longest ? delay : Longest;
    }

    /// <summary>Left in good order, or ended by SIGHUP, SIGINT, SIGKILL or SIGTERM.</summary>
    private static bool EndedFromOutside(int exitCode) => exitCode is 0 or 129 or 130 or 137 or 143;
}
