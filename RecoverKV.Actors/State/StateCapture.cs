using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.State;

/// <summary>
/// R10: the state at one uid, handed over in small parts while it goes on changing: what changed since the capture
/// before, or all. Of one that was not written to its end nothing may be used; the next one then has all
/// (<see cref="KeyValueState.ForgetCapture"/>). Used by the state's thread only; a part may be read by any.
/// </summary>
internal sealed class StateCapture
{
    private const int PartSessions = 64;
    private readonly ChangedKeys _keys;
    private readonly ChangedSessions _sessions;

    private readonly bool _losesOrder;

    internal StateCapture(KeyValueState state, ChangedKeys keys, ChangedSessions sessions, bool losesOrder)
    {
        (_keys, _sessions, _losesOrder) = (keys, sessions, losesOrder);
        (Uid, Revision, Digest, KeyCount) = (state.Applied, state.Revision, state.Digest, state.Count);
        (SessionCount, SessionBytes) = (state.Sessions.Count, state.Sessions.Bytes);
        IsAll = keys.IsAll || sessions.IsAll;
        if (IsAll) state.ForgetCapture();
    }

    /// <summary>The point of the log that it shows.</summary>
    public Uid Uid { get; }

    /// <summary>The revision at that point.</summary>
    public long Revision { get; }

    /// <summary>The digest at that point.</summary>
    public ulong Digest { get; }

    /// <summary>How many keys there were.</summary>
    public long KeyCount { get; }

    /// <summary>How many sessions there were.</summary>
    public long SessionCount { get; }

    /// <summary>Roughly what their answers took in memory.</summary>
    public long SessionBytes { get; }

    /// <summary>Whether it has all keys and sessions, and not only what changed: nothing of before counts
    /// then.</summary>
    public bool IsAll { get; }

    /// <summary>The next part; null at the end.</summary>
    /// <param name="records">About so many keys at most.</param>
    /// <param name="bytes">About so many bytes of them.</param>
    public StatePart? Next(int records, long bytes)
    {
        var part = _keys.Next(records, bytes) ?? _sessions.Next(PartSessions);
        if (_losesOrder && part is not null)
            for (var i = 0; i < part.Sessions.Count; i++)
                part.Sessions[i] = part.Sessions[i] with { Used = part.Sessions[i].Id };
        return part;
    }
}
