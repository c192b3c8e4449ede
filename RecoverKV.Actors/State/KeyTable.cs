using RecoverKV.Client;

namespace RecoverKV.Actors.State;

/// <summary>
/// Keys, each with a value and the uid that wrote it, in numbered slots: a key that stays keeps its slot. Grows by one
/// bucket at a time (Litwin: Linear Hashing, VLDB 1980) and page by page, so that no single write waits for all keys to
/// be copied. For ranges the slots stand in the order of the keys, too. Not thread-safe.
/// </summary>
internal sealed class KeyTable
{
    private const int PageBits = 10;
    private const int PageSize = 1 << PageBits;
    private readonly List<Entry[]> _slots = [];
    private readonly List<int[]> _buckets = [];
    private readonly RecordMemory _records;
    private readonly KeyOrder _order;
    private int _bucketCount;

    // One less than the power of two that is not below the number of buckets.
    private int _mask;

    // The first free slot + 1, from which the others follow; 0 if there is none.
    private int _free;

    private struct Entry
    {
        /// <summary>The uid of the write; 0 in a free slot.</summary>
        public long Uid;
        public RecordAddress Record;
        public int Hash;

        /// <summary>The next slot of the same bucket, or the next free one, + 1; 0 at the end.</summary>
        public int Next;
    }

    /// <summary>An empty table.</summary>
    public KeyTable()
    {
        _records = new RecordMemory((slot, record) => Slot(slot).Record = record);
        _order = new KeyOrder(Key);
        AddBucket();
    }

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>Roughly what the keys take in memory, each with its entry, its bucket, and its place in the
    /// order.</summary>
    public long Bytes => _records.LiveBytes + BytesOfKey * (long)Count;

    /// <summary>What a key adds to <see cref="Bytes"/> at most.</summary>
    public static long MostBytes(Key key, int valueLength) =>
        BytesOfKey + RecordMemory.Header + key.Length + valueLength + RecordFields.MostBytes;

    private const int BytesOfKey = 32 + sizeof(int) + 2 * sizeof(int);

    // Slots are below this number.
    private int _slotCount;

    /// <summary>So many keys are about to be added to an empty table: its buckets are made at once.</summary>
    public void Reserve(long count)
    {
        while (_bucketCount < count) AddBucket();
    }

    /// <summary>The slot of a key; -1 if it is absent.</summary>
    public int Find(Key key)
    {
        var hash = key.GetHashCode();
        for (var next = Bucket(BucketOf(hash)); next != 0;)
        {
            ref var entry = ref Slot(next - 1);
            if (entry.Hash == hash && _records.Key(entry.Record).Span.SequenceEqual(key.Bytes.Span)) return next - 1;
            next = entry.Next;
        }

        return -1;
    }

    /// <summary>The uid of the write of the key at the slot; 0 if no key is there.</summary>
    public long Uid(int slot) => Slot(slot).Uid;

    /// <summary>The key at the slot. Its bytes never change.</summary>
    public ReadOnlyMemory<byte> Key(int slot) => _records.Key(Slot(slot).Record);

    /// <summary>The value at the slot. Its bytes never change.</summary>
    public ReadOnlyMemory<byte> Value(int slot) => _records.Value(Slot(slot).Record);

    /// <summary>The fields of the record at the slot.</summary>
    public RecordFields Fields(int slot) => _records.Fields(Slot(slot).Record);

    /// <summary>The slots of the range in the order of their keys, or the other way round. The table must not change
    /// meanwhile.
    /// </summary>
    public IEnumerable<int> Within(KeyRange range, bool reverse)
    {
        foreach (var slot in reverse ? _order.Descending(range.To) : _order.Ascending(range.From))
        {
            if (!(reverse ? range.IsAtOrAboveFrom(Key(slot).Span) : range.IsBelowTo(Key(slot).Span))) yield break;
            yield return slot;
        }
    }

    /// <summary>The slots whose keys are at or above this one, in their order. The table must not change
    /// meanwhile.</summary>
    public IEnumerable<int> From(ReadOnlyMemory<byte> key) => _order.Ascending(key);

    /// <summary>Adds a key that is absent, and says at which slot.</summary>
    public int Add(Key key, ReadOnlySpan<byte> value, long uid, RecordFields fields)
    {
        if (Count >= _bucketCount) AddBucket();
        var slot = TakeSlot();
        ref var entry = ref Slot(slot);
        ref var bucket = ref Bucket(BucketOf(key.GetHashCode()));
        entry = new Entry
        {
            Uid = uid,
            Record = _records.Add(slot, key.Bytes.Span, value, fields),
            Hash = key.GetHashCode(),
            Next = bucket,
        };
        bucket = slot + 1;
        Count++;
        _order.Add(slot);
        return slot;
    }

    /// <summary>Gives the key at the slot another value.</summary>
    public void Replace(int slot, ReadOnlySpan<byte> value, long uid, RecordFields fields)
    {
        ref var entry = ref Slot(slot);
        var before = entry.Record;
        (entry.Record, entry.Uid) = (_records.Add(slot, _records.Key(before).Span, value, fields), uid);
        _records.Remove(before);
    }

    /// <summary>Removes the key at the slot.</summary>
    public void Remove(int slot)
    {
        _order.Remove(slot);
        ref var entry = ref Slot(slot);
        ref var link = ref Bucket(BucketOf(entry.Hash));
        while (link != slot + 1) link = ref Slot(link - 1).Next;
        link = entry.Next;
        _records.Remove(entry.Record);
        entry = new Entry { Next = _free };
        _free = slot + 1;
        Count--;
    }

    private ref Entry Slot(int slot) => ref _slots[slot >> PageBits][slot & (PageSize - 1)];

    private ref int Bucket(int number) => ref _buckets[number >> PageBits][number & (PageSize - 1)];

    private int BucketOf(int hash)
    {
        var number = hash & _mask;
        return number < _bucketCount ? number : hash & (_mask >> 1);
    }

    private int TakeSlot()
    {
        if (_free != 0)
        {
            var slot = _free - 1;
            _free = Slot(slot).Next;
            return slot;
        }

        if (_slotCount == _slots.Count * PageSize) _slots.Add(new Entry[PageSize]);
        return _slotCount++;
    }

    // The keys of one bucket are shared out between it and the new one.
    private void AddBucket()
    {
        if (_bucketCount == _buckets.Count * PageSize) _buckets.Add(new int[PageSize]);
        var added = _bucketCount++;
        if (added > _mask) _mask = (2 * _mask) + 1;
        ref var split = ref Bucket(added & (_mask >> 1));
        var next = split;
        split = 0;
        while (next != 0)
        {
            ref var entry = ref Slot(next - 1);
            ref var bucket = ref Bucket(BucketOf(entry.Hash));
            (var moving, next) = (next, entry.Next);
            entry.Next = bucket;
            bucket = moving;
        }
    }
}
