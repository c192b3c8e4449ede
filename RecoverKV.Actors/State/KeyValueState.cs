using System.Buffers.Binary;
using System.IO.Hashing;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Actors.State;

/// <summary>
/// What the log's requests mean: keys with their versions, and the sessions. Agreement orders requests and knows
/// nothing of keys; this is all that it asks: which writes a question must wait for (<see cref="Expect"/>,
/// <see cref="WaitsFor"/>), to <see cref="Apply"/> a request, and to answer. The state changes only by applying
/// committed requests in uid order, so that replicas with equal <see cref="Applied"/> are equal. Not thread-safe.
/// </summary>
public sealed class KeyValueState
{
    private const int MaxItemsOfPage = 4096;

    // Some tenth of a millisecond. What is longer than that are single values.
    private const int SliceKeys = 1024;
    private const int MostSliceKeys = 4 * SliceKeys;
    private const long SliceBytes = 256 * 1024;
    private const long MostSliceBytes = 4 * SliceBytes;
    private const int SliceBound = 256;
    private readonly KeyTable _keys = new();
    private readonly ExpectedWrites _expected = new();
    private readonly RequestLimits _limits;
    private readonly ChangedKeys _changed;

    /// <summary>An empty state.</summary>
    public KeyValueState() : this(SessionLimits.Standard)
    {
    }

    /// <param name="sessions">The bounds of the sessions.</param>
    /// <param name="requests">Those of requests; none if left out.</param>
    /// <param name="mostGone">R10: beyond so many deletions, or evictions, since a capture the next one has
    /// all.</param>
    internal KeyValueState(SessionLimits sessions, RequestLimits? requests = null, int mostGone = 1 << 20)
    {
        Sessions = new SessionTable(sessions, mostGone);
        _limits = requests ?? RequestLimits.None;
        _changed = new ChangedKeys(_keys, mostGone);
    }

    /// <summary>The uid of the last applied request.</summary>
    public Uid Applied { get; private set; }

    /// <summary>The bytes of all requests that were applied in this run of the process.</summary>
    public long AppliedBytes { get; private set; }

    /// <summary>Counts the requests that changed at least one key; 1 in an empty state. (Uids count others,
    /// too.)</summary>
    public long Revision { get; private set; } = 1;

    /// <summary>The sessions (R9).</summary>
    public SessionTable Sessions { get; }

    /// <summary>How many keys there are.</summary>
    public int Count => _keys.Count;

    /// <summary>Roughly what keys and values take in memory, without what deletions and overwrites leave behind for a
    /// while, which is at most as much again. Replicas with equal <see cref="Applied"/> have equal ones.</summary>
    public long Bytes => _keys.Bytes;

    /// <summary>By how much <see cref="Bytes"/> grows at most when the request is applied; 0 if it adds
    /// nothing.</summary>
    public long RoomFor(WriteRequest request)
    {
        long room = 0;
        foreach (var operation in request.Operations)
            if (operation.Kind == OperationKind.Put) room += KeyTable.MostBytes(operation.Key, operation.Value.Length);
        return room;
    }

    /// <summary>
    /// A sum over all keys of a hash of key, uid, value and revisions: it does not depend on the order in which keys
    /// came, and changes with each write at the cost of hashing the old version and the new one. Replicas with equal
    /// <see cref="Applied"/> have equal digests.
    /// </summary>
    public ulong Digest { get; private set; }

    /// <summary>R11: what comes behind a slice in the order of keys; the first one behind the last.</summary>
    public StateSlice SliceBehind(StateSlice? before)
    {
        var (from, keys, bytes) = (before?.To ?? default, 0, 0L);
        foreach (var slot in _keys.From(from))
        {
            var key = _keys.Key(slot);
            if (keys++ >= SliceKeys || bytes >= SliceBytes)
            {
                // It travels with every heartbeat: of a long key the begin must do, if that is a step ahead.
                var to = key[..Math.Min(key.Length, SliceBound)];
                if (to.Span.SequenceCompareTo(from.Span) > 0) return new StateSlice(from, to.ToArray());
                if (keys == MostSliceKeys) break;
            }

            bytes += key.Length + _keys.Value(slot).Length;
        }

        return new StateSlice(from, default);
    }

    /// <summary>R11: the digest of a slice, as its keys are in memory now. Of one that is far larger than they should
    /// be only the begin counts: replicas with equal <see cref="Applied"/> still have equal ones.</summary>
    public ulong DigestOf(StateSlice slice)
    {
        var (digest, keys, bytes) = (0UL, 0, 0L);
        foreach (var slot in _keys.From(slice.From))
        {
            var key = _keys.Key(slot).Span;
            if (!slice.To.IsEmpty && key.SequenceCompareTo(slice.To.Span) >= 0) break;
            if (keys++ == MostSliceKeys || bytes >= MostSliceBytes) break;
            bytes += key.Length + _keys.Value(slot).Length;
            digest += DigestOf(slot);
        }

        return digest;
    }

    /// <summary>The version of a key, null if it is absent.</summary>
    public Version? Find(Key key) =>
        _keys.Find(key) is >= 0 and var slot ? new Version(_keys.Value(slot), _keys.Uid(slot)) : null;

    /// <summary>What is wrong with a write, in one line; null if nothing is.</summary>
    public string? Check(WriteRequest request) => _limits.Check(request);

    /// <summary>What is wrong with a read, in one line; null if nothing is.</summary>
    public string? Check(Read read) => _limits.Check(read);

    /// <summary>What is wrong with a scan, in one line; null if nothing is.</summary>
    public string? Check(ScanRequest request) => _limits.Check(request);

    /// <summary>R5: the request is on this replica's disk, and may already be committed elsewhere.</summary>
    public void Expect(Uid uid, WriteRequest request) => _expected.Add(uid, request);

    /// <summary>R5: nothing is expected any more.</summary>
    public void ExpectNothing() => _expected.Clear();

    /// <summary>R5: the last uid that must be applied before the read is answered; one that is applied if there is
    /// none.
    /// </summary>
    public Uid WaitsFor(Read read) => _expected.LastOf(read);

    /// <summary>Applies the request at the uid after <see cref="Applied"/>: at most once for each request
    /// (R9).</summary>
    /// <param name="uid">Its position.</param>
    /// <param name="request">The request.</param>
    /// <param name="forget">Whether its answer is not kept; only for specs.</param>
    public WriteAnswer Apply(Uid uid, WriteRequest request, bool forget = false)
    {
        if (uid != Applied.Next) throw new InvariantViolationException($"uid {uid} cannot be applied after {Applied}");
        _expected.Remove(uid, request);
        Applied = uid;
        AppliedBytes += request.Encoded.Length;
        if (request.Session == 0)
        {
            Sessions.Open(uid);
            return new WriteAnswer(0, request.Number, WriteStatus.Done, uid.Value, []);
        }

        if (Sessions.Settled(uid, request) is { } settled) return settled;
        var answer = Execute(uid, request);
        if (!forget) Sessions.Keep(answer);
        return answer;
    }

    /// <summary>Answers a read of what is applied.</summary>
    /// <param name="read">The read.</param>
    /// <param name="age">Of the answer, in milliseconds; 0 if it is linearizable.</param>
    public ReadAnswer Answer(Read read, long age)
    {
        var versions = new Version?[read.Keys.Count];
        for (var i = 0; i < versions.Length; i++) versions[i] = Find(read.Keys[i]);
        return new ReadAnswer(read.Id, ReadStatus.Done, versions, age);
    }

    /// <summary>Answers with a page of a scan: what is applied, in the order of keys, at one uid.</summary>
    /// <param name="request">The range, the direction, where it goes on, and the most items.</param>
    /// <param name="maxBytes">About the most bytes, unless a single item has more.</param>
    public ScanReply Answer(ScanRequest request, long maxBytes)
    {
        if (ScanCursor.Rest(request) is not { } rest)
            return new ScanReply(request.Id, ReadStatus.CursorLost, [], default);
        var maxItems = Math.Clamp(request.MaxItems, 1, MaxItemsOfPage);
        var items = new List<ScanItem>();
        long bytes = 0;
        foreach (var slot in _keys.Within(rest, request.Reverse))
        {
            var (key, value) = (new Key(_keys.Key(slot)), _keys.Value(slot));
            // With the numbers and lengths around them.
            bytes += key.Length + value.Length + 32;
            if (items.Count == maxItems || (items.Count > 0 && bytes > maxBytes))
                return new ScanReply(
                    request.Id, ReadStatus.Done, items, ScanCursor.Behind(items[^1].Key), Uid: Applied.Value);
            items.Add(new ScanItem(key, new Version(value, _keys.Uid(slot))));
        }

        return new ScanReply(request.Id, ReadStatus.Done, items, default, Uid: Applied.Value);
    }

    private WriteAnswer Execute(Uid uid, WriteRequest request)
    {
        var operations = request.Operations;
        var previous = request.ReturnPrevious ? new Version?[operations.Count] : [];
        for (var i = 0; i < previous.Length; i++) previous[i] = Find(operations[i].Key);
        var applies = true;
        foreach (var operation in operations)
            if (operation.ExpectedUid is { } expected) applies &= UidOf(operation.Key) == expected;

        if (applies) Change(uid, operations);
        var status = applies ? WriteStatus.Done : WriteStatus.ConditionFailed;
        return new WriteAnswer(request.Session, request.Number, status, uid.Value, previous);
    }

    private long UidOf(Key key) => _keys.Find(key) is >= 0 and var slot ? _keys.Uid(slot) : 0;

    /// <summary>R10: begins to hand over what was changed since the last capture, as it is now. One at a
    /// time.</summary>
    /// <param name="movesOn">Whether keys are handed over as they are when it is their turn; only for specs.</param>
    /// <param name="losesOrder">Whether it does not tell when sessions were used; only for specs.</param>
    internal StateCapture Capture(bool movesOn = false, bool losesOrder = false)
    {
        var capture = new StateCapture(this, _changed, Sessions.Changed, losesOrder);
        _changed.Begin(movesOn);
        Sessions.Changed.Begin(Sessions.All);
        return capture;
    }

    /// <summary>R10: what a capture handed over, or may yet, is of no use: the next one has all.</summary>
    internal void ForgetCapture()
    {
        _changed.Forget();
        Sessions.Changed.Forget();
    }

    /// <summary>R10: so many keys are about to be put back.</summary>
    internal void Reserve(long keys) => _keys.Reserve(keys);

    /// <summary>R10: puts a key of a checkpoint back, into a state that nothing was applied to; in their order is
    /// fastest.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="uid">The write that stored it.</param>
    /// <param name="fields">The rest.</param>
    /// <param name="digest">What it adds to the digest:
    /// <see cref="DigestOf(ReadOnlySpan{byte}, ReadOnlySpan{byte}, long, RecordFields)"/>.</param>
    internal void Restore(Key key, ReadOnlySpan<byte> value, long uid, RecordFields fields, ulong digest)
    {
        _keys.Add(key, value, uid, fields);
        Digest += digest;
    }

    /// <summary>R10: all keys and sessions of a checkpoint are back.</summary>
    internal void Restore(Uid applied, long revision) => (Applied, Revision) = (applied, revision);

    // All changes of a request are one revision.
    private void Change(Uid uid, IReadOnlyList<WriteOperation> operations)
    {
        var changes = false;
        foreach (var operation in operations)
        {
            if (operation.Kind == OperationKind.Put) Put(operation.Key, operation.Value.Span, uid);
            else if (operation.Kind != OperationKind.Delete || !Delete(operation.Key)) continue;
            changes = true;
        }

        if (changes) Revision++;
    }

    private void Put(Key key, ReadOnlySpan<byte> value, Uid uid)
    {
        var revision = Revision + 1;
        var slot = _keys.Find(key);
        if (slot >= 0)
        {
            Digest -= DigestOf(slot);
            _changed.Putting(slot);
            var before = _keys.Fields(slot);
            _keys.Replace(slot, value, uid.Value, before with { Modified = revision, Version = before.Version + 1 });
        }
        else
        {
            slot = _keys.Add(key, value, uid.Value, new RecordFields(revision, revision, 1));
            _changed.Added(slot);
        }

        Digest += DigestOf(slot);
    }

    private bool Delete(Key key)
    {
        if (_keys.Find(key) is not (>= 0 and var slot)) return false;
        Digest -= DigestOf(slot);
        _changed.Deleting(slot);
        _keys.Remove(slot);
        return true;
    }

    private ulong DigestOf(int slot) =>
        DigestOf(_keys.Key(slot).Span, _keys.Value(slot).Span, _keys.Uid(slot), _keys.Fields(slot));

    /// <summary>What a key adds to the digest.</summary>
    internal static ulong DigestOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long uid, RecordFields fields)
    {
        Span<byte> numbers = stackalloc byte[4 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, uid);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], fields.Created);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], fields.Modified);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], fields.Version);
        var hash = XxHash3.HashToUInt64(key, (long)XxHash3.HashToUInt64(numbers));
        return XxHash3.HashToUInt64(value, (long)hash);
    }
}
