namespace RecoverKV.Actors.State;

/// <summary>
/// The slots of a table in the order of their keys' bytes: for ranges, beside the table that finds single keys. Leaves
/// of some hundred slots stand in one list, each with a copy of what separates it from the one before, so that half of
/// the comparisons of a search need no key of the table. It takes four bytes a slot, or eight in bad cases. Not
/// thread-safe.
/// </summary>
/// <remarks>Invariants: the keys of a leaf are at or above its own <see cref="Leaf.From"/> and below the next one's;
/// the first leaf's is empty; two neighbours together have more than half a leaf of slots.</remarks>
/// <param name="keyOf">The key at a slot.</param>
internal sealed class KeyOrder(Func<int, ReadOnlyMemory<byte>> keyOf)
{
    private const int LeafSize = 512;
    private const int SmallestLeaf = 8;
    private readonly List<Leaf> _leaves = [new Leaf([])];

    private sealed class Leaf(byte[] from)
    {
        public byte[] From { get; } = from;
        public int[] Slots { get; private set; } = new int[SmallestLeaf];
        public int Count { get; private set; }

        public void Insert(int at, ReadOnlySpan<int> slots)
        {
            if (Count + slots.Length > Slots.Length)
            {
                var larger = new int[Math.Min(LeafSize, Math.Max(2 * Slots.Length, Count + slots.Length))];
                Slots.AsSpan(0, Count).CopyTo(larger);
                Slots = larger;
            }

            Slots.AsSpan(at, Count - at).CopyTo(Slots.AsSpan(at + slots.Length));
            slots.CopyTo(Slots.AsSpan(at));
            Count += slots.Length;
        }

        public void Remove(int at, int count)
        {
            Slots.AsSpan(at + count, Count - at - count).CopyTo(Slots.AsSpan(at));
            Count -= count;
        }
    }

    /// <summary>How many leaves there are.</summary>
    internal int LeafCount => _leaves.Count;

    /// <summary>Adds a slot, whose key no other slot has.</summary>
    public void Add(int slot)
    {
        var key = keyOf(slot).Span;
        // Keys that come in their order need no search, and fill the leaves.
        var last = _leaves[^1];
        var isLast = last.Count > 0 && keyOf(last.Slots[last.Count - 1]).Span.SequenceCompareTo(key) < 0;
        var number = isLast ? _leaves.Count - 1 : LeafOf(key);
        var leaf = _leaves[number];
        var at = isLast ? leaf.Count : IndexIn(leaf, key);
        if (leaf.Count == LeafSize)
        {
            Split(number, isLast ? LeafSize : LeafSize / 2, key);
            number = LeafOf(key);
            leaf = _leaves[number];
            at = IndexIn(leaf, key);
        }

        leaf.Insert(at, [slot]);
    }

    /// <summary>Takes a slot out, whose key is still in the table.</summary>
    public void Remove(int slot)
    {
        var key = keyOf(slot).Span;
        var number = LeafOf(key);
        var leaf = _leaves[number];
        leaf.Remove(IndexIn(leaf, key), 1);
        if (number + 1 < _leaves.Count && Joins(number)) Join(number);
        else if (number > 0 && Joins(number - 1)) Join(number - 1);
    }

    /// <summary>The slots whose keys are at or above <paramref name="from"/>, ascending. The table must not change
    /// meanwhile.
    /// </summary>
    public IEnumerable<int> Ascending(ReadOnlyMemory<byte> from)
    {
        var number = LeafOf(from.Span);
        for (var at = IndexIn(_leaves[number], from.Span); number < _leaves.Count; number++, at = 0)
            for (; at < _leaves[number].Count; at++)
                yield return _leaves[number].Slots[at];
    }

    /// <summary>The slots whose keys are below <paramref name="to"/>, or all if that is null, descending. The table
    /// must not change meanwhile.</summary>
    public IEnumerable<int> Descending(ReadOnlyMemory<byte>? to)
    {
        var number = to is { } key ? LeafOf(key.Span) : _leaves.Count - 1;
        var at = to is { } below ? IndexIn(_leaves[number], below.Span) : _leaves[number].Count;
        while (true)
        {
            while (at > 0) yield return _leaves[number].Slots[--at];
            if (--number < 0) yield break;
            at = _leaves[number].Count;
        }
    }

    // The leaf that has the key, or would.
    private int LeafOf(ReadOnlySpan<byte> key)
    {
        int low = 1, high = _leaves.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (key.SequenceCompareTo(_leaves[middle].From) < 0) high = middle;
            else low = middle + 1;
        }

        return low - 1;
    }

    // The first place of the leaf whose key is not below this one.
    private int IndexIn(Leaf leaf, ReadOnlySpan<byte> key)
    {
        int low = 0, high = leaf.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (keyOf(leaf.Slots[middle]).Span.SequenceCompareTo(key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    // What is at the place and above moves to a leaf of its own; if that is nothing, the new leaf is for the key.
    private void Split(int number, int at, ReadOnlySpan<byte> key)
    {
        var leaf = _leaves[number];
        var first = at < leaf.Count ? keyOf(leaf.Slots[at]).Span : key;
        var next = new Leaf(Separator(keyOf(leaf.Slots[at - 1]).Span, first));
        next.Insert(0, leaf.Slots.AsSpan(at, leaf.Count - at));
        leaf.Remove(at, leaf.Count - at);
        _leaves.Insert(number + 1, next);
    }

    // The shortest that is above the one and not above the other.
    private static byte[] Separator(ReadOnlySpan<byte> below, ReadOnlySpan<byte> first) =>
        first[..(below.CommonPrefixLength(first) + 1)].ToArray();

    private bool Joins(int number) => _leaves[number].Count + _leaves[number + 1].Count <= LeafSize / 2;

    private void Join(int number)
    {
        var next = _leaves[number + 1];
        _leaves[number].Insert(_leaves[number].Count, next.Slots.AsSpan(0, next.Count));
        _leaves.RemoveAt(number + 1);
    }
}
