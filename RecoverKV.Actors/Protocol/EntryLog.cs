using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>An entry of the log.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Encoded">The wire form of its request.</param>
/// <param name="Decoded">The request itself while it has not been applied; afterwards a peer may still ask for it, but
/// hardly any does, and its objects would burden the garbage collector.</param>
public readonly record struct LogEntry(Epoch Epoch, ReadOnlyMemory<byte> Encoded, WriteRequest? Decoded)
{
    /// <summary>Roughly what it takes in memory beyond the request's bytes.</summary>
    private const int Overhead = 64;

    /// <summary>Its request.</summary>
    public WriteRequest Request => Decoded ?? WriteRequestCodec.Decode(Encoded);

    /// <summary>Roughly what it takes in memory.</summary>
    public int Size => Encoded.Length + Overhead;

    internal bool IsNone => Encoded.IsEmpty;
}

/// <summary>
/// The entries of one replica, ordered by uid, gaps allowed (R3): which are appended, which of them are on disk, and
/// which fact holds which. Applied entries leave memory when they grow beyond a bound; the journal keeps them.
/// Not thread-safe.
/// </summary>
/// <remarks>Invariants: durable ⊆ held; every held uid from <see cref="MemoryFrom"/> on has its entry in memory; the
/// index covers exactly the held uids.</remarks>
public sealed class EntryLog
{
    private const int SegmentSize = 1024;
    private readonly Dictionary<long, LogEntry[]> _segments = [];
    private readonly UidSet _held = new();
    private readonly UidSet _durable = new();
    private readonly FactIndex _index;
    private readonly Queue<(long Fact, UidRange Range)> _unpersisted = new();
    private readonly AppliedBytes _applied = new();
    private LogEntry[]? _spareSegment;
    private long _bytes;

    /// <summary>R10: the log of a replica that has a checkpoint: up to the settled uid as its index says.</summary>
    /// <param name="from">What the checkpoint says.</param>
    /// <param name="pieceBytes">How rough the index of facts may be.</param>
    public EntryLog(LogBase from, long pieceBytes = FactIndex.PieceBytes)
    {
        _index = new FactIndex(pieceBytes);
        var settled = new UidRange(new Uid(1), from.Settled);
        _held.Add(settled);
        _durable.Add(settled);
        _index.Restore(from.Index);
        MemoryFrom = from.Settled.Next;
        Compacted = from.Compacted;
    }

    /// <summary>R10: up to which uid entries need no replay, as they have left memory; where these are; and the first
    /// fact that holds another one, or <paramref name="none"/>.</summary>
    internal (Uid To, FactPiece[] Index, long ReplayFrom) Settled(long none)
    {
        var settled = _index.Seal();
        return (settled.Length == 0 ? Compacted : settled[^1].Range.Last, settled, _index.FirstAbove(Uid.Zero) ?? none);
    }

    /// <summary>What is appended, on disk or not.</summary>
    public UidSet Held => _held;

    /// <summary>What is on disk and part of the log: entries that were dropped do not count, even before their drop
    /// is on disk.</summary>
    public UidSet Durable => _durable;

    /// <summary>R10: entries up to this uid are in the state only.</summary>
    public Uid Compacted { get; private set; }

    /// <summary>R10: entries up to this uid, which have left memory, leave the journal, too.</summary>
    internal void Compact(Uid to)
    {
        if (to <= Compacted) return;
        Compacted = to;
        _index.Compact(to);
    }

    /// <summary>R10: the first fact that holds an entry above the uid, up to which all have left memory or are of no
    /// use; or <paramref name="none"/>.</summary>
    internal long FirstFactAbove(Uid uid, long none) => _index.FirstAbove(uid) ?? none;

    /// <summary>Entries below this uid are in the journal only.</summary>
    public Uid MemoryFrom { get; private set; } = new(1);

    /// <summary>Roughly what the entries in memory take.</summary>
    public long BytesInMemory => _bytes;

    /// <summary>How many pieces the index of facts has.</summary>
    internal int IndexCount => _index.Count;

    /// <summary>The entry at the uid, if it is held and in memory.</summary>
    public LogEntry? Find(Uid uid) =>
        _segments.TryGetValue(uid.Value / SegmentSize, out var segment)
            && segment[uid.Value % SegmentSize] is { IsNone: false } entry
            ? entry
            : null;

    /// <summary>The entry at the uid, which must be held and in memory.</summary>
    public LogEntry this[Uid uid] => Slot(uid);

    private ref LogEntry Slot(Uid uid) => ref _segments[uid.Value / SegmentSize][uid.Value % SegmentSize];

    /// <summary>The entry at the uid was applied: it is kept for peers only, apart from the message that it came with.
    /// </summary>
    public void Applied(Uid uid)
    {
        ref var slot = ref Slot(uid);
        slot = new LogEntry(slot.Epoch, _applied.Keep(slot.Encoded), null);
    }

    /// <summary>The parts of the batch whose uids are not held yet, and that <paramref name="take"/> accepts.</summary>
    public IEnumerable<Batch> Lacking(Batch batch, Func<Uid, bool>? take = null)
    {
        foreach (var gap in _held.Missing(new UidRange(batch.First, batch.Last)).ToArray())
        {
            var first = gap.First;
            while (first <= gap.Last)
            {
                if (take != null && !take(first))
                {
                    first = first.Next;
                    continue;
                }

                var last = first;
                while (last < gap.Last && (take == null || take(last.Next))) last = last.Next;
                yield return Slice(batch, first, last);
                first = last.Next;
            }
        }
    }

    /// <summary>Appends a batch of which no uid is held, with the number of the fact that journals it.</summary>
    public void Append(Batch batch, long fact)
    {
        var range = new UidRange(batch.First, batch.Last);
        long bytes = 0;
        for (var i = 0; i < batch.Requests.Count; i++)
        {
            var uid = (batch.First + i).Value;
            if (!_segments.TryGetValue(uid / SegmentSize, out var segment))
            {
                segment = _spareSegment ?? new LogEntry[SegmentSize];
                _spareSegment = null;
                _segments.Add(uid / SegmentSize, segment);
            }

            var entry = new LogEntry(batch.Epoch, batch.Requests[i].Encoded, batch.Requests[i]);
            _bytes += entry.Size;
            bytes += entry.Encoded.Length;
            segment[uid % SegmentSize] = entry;
        }

        _held.Add(range);
        _index.Add(range, fact, bytes);
        _unpersisted.Enqueue((fact, range));
    }

    /// <summary>All facts up to this number are on disk.</summary>
    public void Persisted(long fact)
    {
        while (_unpersisted.TryPeek(out var next) && next.Fact <= fact)
        {
            _unpersisted.Dequeue();
            // What was dropped meanwhile is no longer in the index under this fact.
            foreach (var range in _index.Of(next.Fact, next.Range)) _durable.Add(range);
        }
    }

    /// <summary>R7: removes the entries of the range, all of which must be in memory.</summary>
    public void Drop(UidRange range)
    {
        foreach (var held in _held.Within(range).ToArray())
        {
            for (var uid = held.First; uid <= held.Last; uid = uid.Next)
            {
                ref var slot = ref Slot(uid);
                _bytes -= slot.Size;
                slot = default;
            }
        }

        _held.Remove(range);
        _durable.Remove(range);
        _index.Remove(range);
    }

    /// <summary>Lets entries up to <paramref name="applied"/> leave memory, oldest first, while the entries in memory
    /// take more than <paramref name="bytes"/>.</summary>
    public void Evict(Uid applied, long bytes)
    {
        var limit = Uid.Min(applied, _durable.Contiguous);
        while (_bytes > bytes && MemoryFrom <= limit)
        {
            ref var slot = ref Slot(MemoryFrom);
            _bytes -= slot.Size;
            slot = default;
            // All that was in the segment is gone.
            if (MemoryFrom.Value % SegmentSize == SegmentSize - 1)
                _segments.Remove(MemoryFrom.Value / SegmentSize, out _spareSegment);
            MemoryFrom = MemoryFrom.Next;
        }

        _index.Settle(below: MemoryFrom);
    }

    /// <summary>Consecutive entries on disk from <paramref name="range"/>'s first uid on, cut to the bounds; empty if
    /// the first is not there. All must be in memory.</summary>
    public Batch[] Read(UidRange range, int maxEntries, long maxBytes)
    {
        var batches = new List<Batch>();
        var run = new List<WriteRequest>();
        var (epoch, first) = (Epoch.Zero, range.First);
        long bytes = 0;
        var count = 0;
        for (var uid = range.First; uid <= range.Last && count < maxEntries; uid = uid.Next, count++)
        {
            if (!_durable.Contains(uid) || Find(uid) is not { } entry) break;
            bytes += entry.Encoded.Length + Batch.EntryOverhead;
            if (count > 0 && bytes > maxBytes) break;
            if (run.Count > 0 && entry.Epoch != epoch)
            {
                batches.Add(new Batch(epoch, first, run));
                run = [];
            }

            if (run.Count == 0) (epoch, first) = (entry.Epoch, uid);
            run.Add(entry.Request);
        }

        if (run.Count > 0) batches.Add(new Batch(epoch, first, run));
        return [.. batches];
    }

    /// <summary>The facts that hold the entries from <paramref name="first"/> on, and up to which uid they do; null if
    /// the first is not on disk. See <see cref="FactIndex.From"/>.</summary>
    public (long First, long Last, Uid To)? FactsFrom(Uid first, Uid last, long maxBytes)
    {
        foreach (var durable in _durable.Within(new UidRange(first, last)))
            return durable.First == first ? _index.From(first, durable.Last, maxBytes) : null;
        return null;
    }

    /// <summary>The part of a batch from one uid to another.</summary>
    public static Batch Slice(Batch batch, Uid first, Uid last)
    {
        if (first == batch.First && last == batch.Last) return batch;
        var requests = new WriteRequest[last - first + 1];
        for (var i = 0; i < requests.Length; i++) requests[i] = batch.Requests[(int)(first - batch.First) + i];
        return new Batch(batch.Epoch, first, requests);
    }
}
