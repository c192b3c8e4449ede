namespace RecoverKV.Actors.State;

/// <summary>A set of slots, a bit each. Not thread-safe.</summary>
internal sealed class SlotSet
{
    private ulong[] _words = [];

    // Slots at and above the end of the words are in it.
    private bool _isAll;

    /// <summary>Whether the slot is in it.</summary>
    public bool Contains(int slot) =>
        slot >> 6 < _words.Length ? (_words[slot >> 6] >> (slot & 63) & 1) != 0 : _isAll;

    /// <summary>Puts the slot in.</summary>
    public void Add(int slot)
    {
        Reach(slot);
        _words[slot >> 6] |= 1UL << (slot & 63);
    }

    /// <summary>Takes the slot out.</summary>
    public void Remove(int slot)
    {
        if (!Contains(slot)) return;
        Reach(slot);
        _words[slot >> 6] &= ~(1UL << (slot & 63));
    }

    /// <summary>All slots are in it from now on, or none.</summary>
    public void Fill(bool all)
    {
        Array.Fill(_words, all ? ulong.MaxValue : 0);
        _isAll = all;
    }

    private void Reach(int slot)
    {
        var before = _words.Length;
        if (slot >> 6 < before) return;
        Array.Resize(ref _words, Math.Max(16, Math.Max((slot >> 6) + 1, 2 * before)));
        if (_isAll) Array.Fill(_words, ulong.MaxValue, before, _words.Length - before);
    }
}
