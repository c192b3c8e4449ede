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
    private readonly HashSet<Item> _items = new(ByKey.Instance);
    private readonly HashSet<Item>.AlternateLookup<Key> _byKey;
    private readonly List<Item?> _slots = [];
    private readonly Stack<int> _freeSlots = new();

    /// <summary>An empty state.</summary>
    public KeyValueState() => _byKey = _items.GetAlternateLookup<Key>();

    /// <summary>A key with its version: two objects, as there are millions of them.</summary>
    private sealed class Item
    {
        private readonly int _keyLength;

        // The key, then the value. Never changed, as readers and answers have slices of it.
        private byte[] _bytes = [];

        public Item(Key key, ReadOnlySpan<byte> value, long uid, int slot)
        {
            (_keyLength, Hash, Slot) = (key.Length, key.GetHashCode(), slot);
            Set(key.Bytes.Span, value, uid);
        }

        public int Hash { get; }
        public int Slot { get; }
        public long Uid { get; private set; }
        public ulong Digest { get; private set; }
        public ReadOnlyMemory<byte> Key => _bytes.AsMemory(0, _keyLength);
        public ReadOnlyMemory<byte> Value => _bytes.AsMemory(_keyLength);
        public Version Version => new(Value, Uid);

        public void Set(ReadOnlySpan<byte> value, long uid) => Set(Key.Span, value, uid);

        private void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long uid)
        {
            (_bytes, Uid) = ([.. key, .. value], uid);
            Digest = XxHash3.HashToUInt64(value, (long)XxHash3.HashToUInt64(key, uid));
        }
    }

    private sealed class ByKey : IEqualityComparer<Item>, IAlternateEqualityComparer<Key, Item>
    {
        public static readonly ByKey Instance = new();

        public bool Equals(Item? one, Item? other) => ReferenceEquals(one, other)
            || (one is not null && other is not null && one.Hash == other.Hash && one.Key.Span.SequenceEqual(other.Key.Span));

        public int GetHashCode(Item item) => item.Hash;

        public bool Equals(Key key, Item item) => key.GetHashCode() == item.Hash && key.Bytes.Span.SequenceEqual(item.Key.Span);

        public int GetHashCode(Key key) => key.GetHashCode();

        public Item Create(Key key) => throw new NotSupportedException();
    }

    /// <summary>The uid of the last applied request.</summary>
    public Uid Applied { get; private set; }

    /// <summary>The sessions (R9).</summary>
    public SessionTable Sessions { get; } = new();

    /// <summary>How many keys there are.</summary>
    public int Count => _items.Count;

    /// <summary>
    /// A sum over all keys of a hash of key, uid and value: it does not depend on the order in which keys came, and
    /// changes with each write at the cost of one hash. Replicas with equal <see cref="Applied"/> have equal digests.
    /// </summary>
    public ulong Digest { get; private set; }

    /// <summary>The version of a key, null if it is absent.</summary>
    public Version? Find(Key key) => _byKey.TryGetValue(key, out var item) ? item.Version : null;

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
    /// <returns>The items, and the slot to go on at; -1 at the end.</returns>
    public (List<ScanItem> Items, int Next) Scan(int slot, int maxItems, long maxBytes)
    {
        var items = new List<ScanItem>();
        for (long bytes = 0; slot < _slots.Count; slot++)
        {
            if (_slots[slot] is not { } item) continue;
            bytes += item.Key.Length + item.Value.Length;
            if (items.Count == maxItems || (items.Count > 0 && bytes > maxBytes)) return (items, slot);
            items.Add(new ScanItem(new Key(item.Key), item.Version));
        }

        return (items, -1);
    }

    private WriteAnswer Execute(Uid uid, WriteRequest request)
    {
        var operations = request.Operations;
        var previous = new Version?[operations.Count];
        var applies = true;
        for (var i = 0; i < previous.Length; i++)
        {
            previous[i] = Find(operations[i].Key);
            if (operations[i].ExpectedUid is { } expected) applies &= (previous[i]?.Uid ?? 0) == expected;
        }

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

    private void Put(Key key, ReadOnlySpan<byte> value, Uid uid)
    {
        if (_byKey.TryGetValue(key, out var item))
        {
            Digest -= item.Digest;
            item.Set(value, uid.Value);
        }
        else
        {
            if (!_freeSlots.TryPop(out var slot))
            {
                slot = _slots.Count;
                _slots.Add(null);
            }

            item = new Item(key, value, uid.Value, slot);
            _slots[slot] = item;
            _items.Add(item);
        }

        Digest += item.Digest;
    }

    private void Delete(Key key)
    {
        if (!_byKey.TryGetValue(key, out var item)) return;
        _items.Remove(item);
        Digest -= item.Digest;
        _slots[item.Slot] = null;
        _freeSlots.Push(item.Slot);
    }
}
