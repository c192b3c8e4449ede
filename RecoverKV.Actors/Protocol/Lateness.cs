namespace RecoverKV.Actors.Protocol;

/// <summary>R8: in which part of the time something was late, window by window. Not thread-safe.</summary>
internal sealed class Lateness
{
    private TimeSpan _passed;
    private TimeSpan _late;

    /// <summary>From this part on, in percent, a window counts as a late one. Above a half by so much that two who wait
    /// for each other in turns, as on a thin link that both share, are none of them.</summary>
    public const int LatePercent = 60;

    /// <summary>Below this part, in percent, all was well.</summary>
    public const int WellPercent = 25;

    /// <summary>So many late windows in a row are no accident.</summary>
    public const int SlowAfter = 3;

    /// <summary>The late part of the last whole window, in percent.</summary>
    public int Percent { get; private set; }

    /// <summary>How many windows in a row were late, up to now.</summary>
    public int LateWindows { get; private set; }

    /// <summary>Whether it was late for so long that it can't be an accident.</summary>
    public bool IsSlow => LateWindows >= SlowAfter;

    /// <summary>Whether the last whole window was well.</summary>
    public bool IsWell => Percent < WellPercent;

    /// <summary>Time has passed, and for some of it something was late, which may have begun before.</summary>
    /// <returns>Whether a window is over.</returns>
    public bool Add(TimeSpan passed, TimeSpan late, TimeSpan window)
    {
        _passed += passed;
        _late += late;
        if (_passed < window) return false;
        Percent = (int)Math.Min(100, 100 * _late / _passed);
        LateWindows = Percent >= LatePercent ? LateWindows + 1 : 0;
        _passed = _late = TimeSpan.Zero;
        return true;
    }
}
