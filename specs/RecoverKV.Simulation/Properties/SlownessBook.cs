using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation.Properties;

/// <summary>What one in-sync member held up, as the disks tell it: an account beside the core's own (R8).</summary>
internal sealed class SlownessBook(TimeSpan patience)
{
    private const int Percent = 75;

    private Uid _contiguous;
    private TimeSpan _waits;
    private TimeSpan _late;
    private TimeSpan _passed;

    /// <summary>What waits for longer is late.</summary>
    public static TimeSpan Patience(ProtocolOptions options) =>
        options.SilenceLimit / 10 > options.HeartbeatInterval ? options.SilenceLimit / 10 : options.HeartbeatInterval;

    /// <summary>The time over which lateness is counted.</summary>
    public static TimeSpan Window(ProtocolOptions options) => 10 * Patience(options);

    /// <summary>How many windows in a row it held writes up nearly all of the time.</summary>
    public int Windows { get; private set; }

    /// <summary>Time passed, at the end of which a majority has all uids up to <paramref name="held"/>.</summary>
    public void Add(TimeSpan passed, Uid contiguous, Uid held)
    {
        if (contiguous < held && contiguous == _contiguous)
        {
            var before = _waits;
            _waits += passed;
            if (_waits > patience) _late += before > patience ? passed : _waits;
        }
        else
        {
            _waits = TimeSpan.Zero;
        }

        _contiguous = contiguous;
        _passed += passed;
        if (_passed < 10 * patience) return;
        Windows = 100 * _late >= Percent * _passed ? Windows + 1 : 0;
        _late = _passed = TimeSpan.Zero;
    }
}
