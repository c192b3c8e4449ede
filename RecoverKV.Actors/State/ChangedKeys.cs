namespace RecoverKV.Actors.State;

/// <summary>
/// R10: which keys were changed since the last capture, and which of an earlier capture are still to be handed over.
/// What of these changes again before its turn is handed over first, as it was: so the capture shows one uid, while
/// writes go on and nothing is copied but what changed. Not thread-safe.
/// </summary>
/// <param name="keys">The keys.</param>
/// <param name="mostDeleted">Beyond so many deletions nothing is remembered: the next capture has all keys.</param>
internal sealed class ChangedKeys(KeyTable keys, int mostDeleted)
{
    // Looked at in one step, to find what changed: a quarter of a millisecond.
    private const int StepSlots = 16 * 1024;

    private SlotSet _changed = new();
    private SlotSet _captured = new();
    private List<byte[]> _deleted = [];
    private StatePart? _part;
    private ReadOnlyMemory<byte> _next;
    private bool _movesOn;

    /// <summary>Whether the next capture has all keys, as nobody knows what an earlier one left out.</summary>
    public bool IsAll { get; private set; }

    /// <summary>The key at the slot is about to be put again.</summary>
    public void Putting(int slot)
    {
        if (!_movesOn) HandOver(slot);
        _changed.Add(slot);
    }

    /// <summary>A key was added at the slot.</summary>
    public void Added(int slot)
    {
        _captured.Remove(slot);
        _changed.Add(slot);
    }

    /// <summary>The key at the slot is about to be deleted.</summary>
    public void Deleting(int slot)
    {
        HandOver(slot);
        _changed.Remove(slot);
        if (IsAll) return;
        _deleted.Add(keys.Key(slot).ToArray());
        // What is under way is not touched by it.
        if (_deleted.Count > mostDeleted) (IsAll, _deleted) = (true, []);
    }

    /// <summary>Begins a capture; what was left of one before is given up with <see cref="Forget"/> first.</summary>
    /// <param name="movesOn">Whether keys are handed over as they are when it is their turn; only for specs.</param>
    public void Begin(bool movesOn = false)
    {
        _movesOn = movesOn;
        (_changed, _captured) = (_captured, _changed);
        _changed.Fill(false);
        if (IsAll) _captured.Fill(true);
        _part = new StatePart { Deleted = _deleted };
        _deleted = [];
        IsAll = false;
        _next = default;
    }

    /// <summary>The next part of the capture, about so many records; null when there are no more.</summary>
    public StatePart? Next(int records, long bytes)
    {
        if (_part is not { } part) return null;
        var looked = 0;
        foreach (var slot in keys.From(_next))
        {
            if (looked++ == StepSlots || part.Keys.Count >= records || bytes <= 0)
            {
                _next = keys.Key(slot).ToArray();
                _part = new StatePart();
                return part;
            }

            if (!_captured.Contains(slot)) continue;
            bytes -= keys.Key(slot).Length + keys.Value(slot).Length;
            HandOver(slot);
        }

        _part = null;
        return part;
    }

    /// <summary>The capture under way is given up, or was lost: the next one has all keys.</summary>
    public void Forget()
    {
        IsAll = true;
        _part = null;
        _deleted = [];
        _captured.Fill(false);
    }

    private void HandOver(int slot)
    {
        if (_part is null || !_captured.Contains(slot)) return;
        _captured.Remove(slot);
        _part.Keys.Add(new KeyRecord(keys.Key(slot), keys.Value(slot), keys.Uid(slot), keys.Fields(slot)));
    }
}
