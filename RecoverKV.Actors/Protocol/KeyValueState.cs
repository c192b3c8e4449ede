using System.IO.Hashing;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// The replicated state: keys with their versions, and the sessions. It changes only by applying committed requests
/// in uid order, so replicas with equal <see cref="Applied"/> are equal. Not thread-safe.
/// </summary>
public sealed class KeyValueState
{
    // Slots that a page of a scan may pass over without finding a key: most keys may have been deleted.
    private const int SlotsOfPage = 64 * 1024;

    private readonly KeyTable _keys = new();

    /// <summary>An empty state.</summary>
    public KeyValueState() : this(SessionLimits.Standard)
    {
    }

    internal KeyValueState(SessionLimits limits) => Sessions = new SessionTable(limits);

    /// <summary>The uid of the last applied request.</summary>
    public Uid Applied { get; private set; }

    /// <summary>The sessions (R9).</summary>
    public SessionTable Sessions { get; }

    /// <summary>How many keys there are.</summary>
    public int Count => _keys.Count;

    /// <summary>
    /// A sum over all keys of a hash of key, uid and value: it does not depend on the order in which keys came, and
    /// changes with each write at the cost of hashing the old version and the new one. Replicas with equal
    /// <see cref="Applied"/> have equal digests.
    /// </summary>
    public ulong Digest { get; private set; }

    /// <summary>The version of a key, null if it is absent.</summary>
    public Version? Find(Key key) =>
        _keys.Find(key) is >= 0 and var slot ? new Version(_keys.Value(slot), _keys.Uid(slot)) : null;

    /// <summary>Applies the request at the uid after <see cref="Applied"/>: at most once for each request (R9).</summary>
    /// <param name="uid">Its position.</param>
    /// <param name="request">The request.</param>
    /// <param name="forget">Whether its answer is not kept; only for specs.</param>
    public WriteAnswer Apply(Uid uid, WriteRequest request, bool forget = false)
    {
        if (uid != Applied.Next) throw new InvariantViolationException($"uid {uid} cannot be applied after {Applied}");
        Applied = uid;
        if (request.Session == 0)
        {
            Sessions.Open(uid);
            return new WriteAnswer(0, request.Number, WriteStatus.Done, uid.Value, []);
        }

        if (Sessions.Settled(request) is { } settled) return settled;
        var answer = Execute(uid, request);
        if (!forget) Sessions.Keep(answer);
        return answer;
    }

    /// <summary>
    /// A page of all keys from slot <paramref name="slot"/> on: a key that stays keeps its slot, so that a scan sees
    /// it exactly once.
    /// </summary>
    /// <returns>The items, which may be none before the end, and the slot to go on at; -1 at the end.</returns>
    public (List<ScanItem> Items, int Next) Scan(int slot, int maxItems, long maxBytes)
    {
        var items = new List<ScanItem>();
        var first = slot;
        for (long bytes = 0; slot < _keys.SlotCount; slot++)
        {
            if (slot - first >= SlotsOfPage) return (items, slot);
            if (_keys.Uid(slot) is not (> 0 and var uid)) continue;
            var (key, value) = (_keys.Key(slot), _keys.Value(slot));
            // With the numbers and lengths around them.
            bytes += key.Length + value.Length + 32;
            if (items.Count == maxItems || (items.Count > 0 && bytes > maxBytes)) return (items, slot);
            items.Add(new ScanItem(new Key(key), new Version(value, uid)));
        }

        return (items, -1);
    }

    private WriteAnswer Execute(Uid uid, WriteRequest request)
    {
        var operations = request.Operations;
        var previous = request.ReturnPrevious ? new Version?[operations.Count] : [];
        for (var i = 0; i < previous.Length; i++) previous[i] = Find(operations[i].Key);
        var applies = true;
        foreach (var operation in operations)
            if (operation.ExpectedUid is { } expected) applies &= UidOf(operation.Key) == expected;

        if (applies)
        {
            foreach (var operation in operations)
            {
                if (operation.Kind == OperationKind.Put) Put(operation.Key, operation.Value.Span, uid);
                else if (operation.Kind == OperationKind.Delete) Delete(operation.Key);
            }
        }

        var status = applies ? WriteStatus.Done : WriteStatus.ConditionFailed;
        return new WriteAnswer(request.Session, request.Number, status, uid.Value, previous);
    }

    private long UidOf(Key key) => _keys.Find(key) is >= 0 and var slot ? _keys.Uid(slot) : 0;

    private void Put(Key key, ReadOnlySpan<byte> value, Uid uid)
    {
        if (_keys.Find(key) is >= 0 and var slot)
        {
            Digest -= DigestAt(slot);
            _keys.Replace(slot, value, uid.Value);
        }
        else
        {
            _keys.Add(key, value, uid.Value);
        }

        Digest += DigestOf(key.Bytes.Span, value, uid.Value);
    }

    private void Delete(Key key)
    {
        if (_keys.Find(key) is not (>= 0 and var slot)) return;
        Digest -= DigestAt(slot);
        _keys.Remove(slot);
    }

    private ulong DigestAt(int slot) => DigestOf(_keys.Key(slot).Span, _keys.Value(slot).Span, _keys.Uid(slot));

    private static ulong DigestOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long uid) =>
        XxHash3.HashToUInt64(value, (long)XxHash3.HashToUInt64(key, uid));
}
