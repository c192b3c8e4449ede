using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// R10: when a replica makes a checkpoint by itself. Under load after as much as its settings say; the work of one then
/// counts. In quiet times sooner, as a start replays what was written since, and nobody waits for the checkpoint. Not
/// thread-safe.
/// </summary>
/// <param name="settings">How much is written between two of them.</param>
internal sealed class CheckpointTimes(CheckpointSettings settings)
{
    /// <summary>Writes in a second, below which it is a quiet time: a fraction of what a node can take.</summary>
    internal const int QuietWrites = 5_000;

    // Of the writes that the settings say: with the default ones these are replayed in less than a quarter of a second.
    private readonly long _few = settings.Writes / 10;

    // Of the keys. So many writes, if to keys in any order, change most pages of the file, which is what it costs.
    private const int ShareOfKeys = 4;
    private const int GiverPatience = 4;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private TimeSpan? _since;
    private Uid _at;
    private bool _isQuiet;

    /// <summary>Whether one is to begin. To be asked often.</summary>
    /// <param name="now">The local clock.</param>
    /// <param name="applied">What is applied by now.</param>
    /// <param name="writes">How many of these since the last one.</param>
    /// <param name="bytes">Their bytes.</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="givenSize">The size of the last one if a peer, or a backup, takes it; else null.</param>
    /// <param name="isFull">Whether the disk is full: then the journal should forget as soon as it can.</param>
    public bool IsTime(TimeSpan now, Uid applied, long writes, long bytes, long keys, long? givenSize, bool isFull)
    {
        Measure(now, applied);
        // As long as a peer takes the one that there is, it stays, with the log behind it; but not for ever.
        if (givenSize is { } size) return bytes >= GiverPatience * settings.Bytes + 2 * size;
        return bytes >= settings.Bytes || writes >= settings.Writes || isFull && writes > 0
            || _isQuiet && writes >= Math.Max(_few, keys / ShareOfKeys);
    }

    /// <summary>Whether one before a clean stop makes the next start faster than it takes: to write a key takes
    /// somewhat longer than to replay a write.</summary>
    public bool IsWorthBeforeStop(long writes, long keys) => writes >= _few && writes >= 2 * keys;

    private void Measure(TimeSpan now, Uid applied)
    {
        if (_since is { } since && now - since < Second) return;
        if (_since is { } begun) _isQuiet = (applied - _at) < QuietWrites * (now - begun).TotalSeconds;
        (_since, _at) = (now, applied);
    }
}
