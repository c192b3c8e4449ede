namespace RecoverKV.Actors.State;

/// <summary>R10: which sessions were changed since the last capture, and which of an earlier one are still to be handed
/// over: as <see cref="ChangedKeys"/> for keys. Sessions that were evicted are not kept here. Not
/// thread-safe.</summary>
/// <param name="mostEnded">Beyond so many evictions nothing is remembered: the next capture has all sessions.</param>
internal sealed class ChangedSessions(int mostEnded)
{
    private HashSet<Session> _changed = [];
    private HashSet<Session> _captured = [];
    private List<long> _ended = [];
    private StatePart? _part;

    /// <summary>Whether the next capture must have all sessions.</summary>
    public bool IsAll { get; private set; }

    /// <summary>The session is about to change, or is new.</summary>
    public void Changing(Session session)
    {
        HandOver(session);
        if (IsAll || session.IsChanged) return;
        session.IsChanged = true;
        _changed.Add(session);
    }

    /// <summary>The session is about to be evicted.</summary>
    public void Ending(Session session)
    {
        HandOver(session);
        if (session.IsChanged) _changed.Remove(session);
        if (IsAll) return;
        _ended.Add(session.Id);
        // What is under way is not touched by it.
        if (_ended.Count > mostEnded) Overflow();
    }

    /// <summary>Begins a capture.</summary>
    /// <param name="all">All sessions there are.</param>
    public void Begin(IEnumerable<Session> all)
    {
        (_captured, _changed) = (IsAll ? [.. all] : _changed, []);
        foreach (var session in _captured) (session.IsCaptured, session.IsChanged) = (true, false);
        _part = new StatePart { Ended = _ended };
        _ended = [];
        IsAll = false;
    }

    /// <summary>The next part, with about so many sessions; null when there are no more.</summary>
    public StatePart? Next(int sessions)
    {
        if (_part is not { } part) return null;
        foreach (var session in _captured)
        {
            if (part.Sessions.Count >= sessions)
            {
                _part = new StatePart();
                return part;
            }

            HandOver(session);
        }

        _part = null;
        return part;
    }

    /// <summary>The capture under way is given up, or was lost: the next one has all sessions.</summary>
    public void Forget()
    {
        foreach (var session in _captured) session.IsCaptured = false;
        (_part, _captured) = (null, []);
        Overflow();
    }

    private void Overflow()
    {
        foreach (var session in _changed) session.IsChanged = false;
        (IsAll, _changed, _ended) = (true, [], []);
    }

    private void HandOver(Session session)
    {
        if (!session.IsCaptured) return;
        session.IsCaptured = false;
        _captured.Remove(session);
        _part!.Sessions.Add(session.Record);
    }
}
