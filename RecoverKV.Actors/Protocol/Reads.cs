using System.Buffers.Binary;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

// R5 Read: any replica with a lease answers from memory. A key with a write that may be committed elsewhere waits for
// the word of it.
public sealed partial class ReplicaCore
{
    private const int ScanPageItems = 4096;
    private const long ScanPageBytes = 1024 * 1024;

    // Roughly what a read that waits takes besides its keys, and each key besides its bytes.
    private const int BlockedReadBytes = 128;
    private const int BlockedKeyBytes = 64;

    private readonly PriorityQueue<BlockedRead, Uid> _blockedReads = new();
    private long _blockedBytes;

    // One of the two is set.
    private readonly record struct BlockedRead(ICaller Caller, Read? Read, ScanRequest? Scan, long Bytes);

    /// <summary>R5: a read of a client; answered now, or when the writes that it must see are known to be committed, or
    /// refused as soon as this replica may not answer it.</summary>
    public void Read(TimeSpan now, ICaller caller, ReadConsistency consistency, Read read)
    {
        if (_stopped) return;
        _now = now;
        if (Limits.Check(read.Keys, _options) is { } invalid)
        {
            AnswerRead(caller, new ReadAnswer(read.Id, ReadStatus.Invalid, [], 0, invalid));
        }
        else if (consistency == ReadConsistency.Stale)
        {
            Answer(caller, read, StaleAge());
        }
        else if (consistency == ReadConsistency.Available && AnswersAlone(now))
        {
            // Zero would say that it is not stale.
            Answer(caller, read, StaleAge() is var age and not 0 ? age : 1);
        }
        else if (!HasLease(now))
        {
            AnswerRead(caller, new ReadAnswer(read.Id, ReadStatus.NotAlive, []));
        }
        else
        {
            var waitFor = Uid.Zero;
            foreach (var key in read.Keys)
                if (_pending.TryGetValue(key, out var uid)) waitFor = Uid.Max(waitFor, uid);
            if (waitFor <= _state.Applied || Mutated(Mutations.PendingReadsServed)) Answer(caller, read, 0);
            else if (!TryBlock(caller, read, waitFor)) AnswerRead(caller, new ReadAnswer(read.Id, ReadStatus.Busy, []));
        }

        Settle();
    }

    /// <summary>A page of a scan, linearizable or stale as a read of all its keys.</summary>
    public void Scan(TimeSpan now, ICaller caller, ScanRequest request)
    {
        if (_stopped) return;
        _now = now;
        if (request.Consistency == ReadConsistency.Stale || (HasLease(now) && _log.Durable.Contiguous <= _state.Applied))
            AnswerScan(caller, request);
        else if (!HasLease(now)) RefuseScan(caller, request);
        else if (!TryBlock(caller, request)) RefuseScan(caller, request, ReadStatus.Busy);
        Settle();
    }

    // What waits has memory of its own: a small key must not keep the message of 4 MiB that it came with.
    private bool TryBlock(ICaller caller, Read read, Uid waitFor)
    {
        long bytes = BlockedReadBytes;
        foreach (var key in read.Keys) bytes += BlockedKeyBytes + key.Length;
        if (!HasRoomToBlock(caller, bytes)) return false;
        var keys = new Key[read.Keys.Count];
        for (var i = 0; i < keys.Length; i++) keys[i] = read.Keys[i].Detach();
        Block(new BlockedRead(caller, read with { Keys = keys }, null, bytes), waitFor);
        return true;
    }

    private bool TryBlock(ICaller caller, ScanRequest request)
    {
        var bytes = BlockedReadBytes + request.Cursor.Length;
        if (!HasRoomToBlock(caller, bytes)) return false;
        var own = request with { Cursor = request.Cursor.ToArray() };
        Block(new BlockedRead(caller, null, own, bytes), _log.Durable.Contiguous);
        return true;
    }

    private bool HasRoomToBlock(ICaller caller, long bytes) =>
        _blockedReads.Count < _options.WaitingReads && _blockedBytes + bytes <= _options.WaitingReadBytes
        && caller.Share.Reads < Share.Of(_options.WaitingReads)
        && caller.Share.ReadBytes + bytes <= Share.Of(_options.WaitingReadBytes);

    private void Block(BlockedRead blocked, Uid waitFor)
    {
        _blockedReads.Enqueue(blocked, waitFor);
        Count(blocked, 1);
    }

    private void Count(BlockedRead blocked, int sign)
    {
        _blockedBytes += sign * blocked.Bytes;
        blocked.Caller.Share.Reads += sign;
        blocked.Caller.Share.ReadBytes += sign * blocked.Bytes;
    }

    private void ServeBlockedReads()
    {
        while (_blockedReads.TryPeek(out var blocked, out var waitFor) && waitFor <= _state.Applied)
        {
            if (!HasLease(_now))
            {
                RefuseBlockedReads();
                return;
            }

            _blockedReads.Dequeue();
            Count(blocked, -1);
            if (blocked.Read is { } read) Answer(blocked.Caller, read, 0);
            else AnswerScan(blocked.Caller, blocked.Scan!);
        }
    }

    private void RefuseReadsWithoutLease()
    {
        if (_blockedReads.Count > 0 && !HasLease(_now)) RefuseBlockedReads();
    }

    private void RefuseBlockedReads()
    {
        while (_blockedReads.TryDequeue(out var blocked, out _))
        {
            Count(blocked, -1);
            if (blocked.Read is { } read) AnswerRead(blocked.Caller, new ReadAnswer(read.Id, ReadStatus.NotAlive, []));
            else RefuseScan(blocked.Caller, blocked.Scan!);
        }
    }

    private long StaleAge() => _freshAt is { } at ? (long)Math.Ceiling((_now - at).TotalMilliseconds) : -1;

    private void Answer(ICaller caller, Read read, long age)
    {
        var versions = new Client.Contracts.Version?[read.Keys.Count];
        for (var i = 0; i < versions.Length; i++) versions[i] = _state.Find(read.Keys[i]);
        AnswerRead(caller, new ReadAnswer(read.Id, ReadStatus.Done, versions, age));
    }

    private void AnswerRead(ICaller caller, ReadAnswer answer) => Effects.Add(new Effect.AnswerRead(caller, answer));

    private void RefuseScan(ICaller caller, ScanRequest request, ReadStatus status = ReadStatus.NotAlive) =>
        Effects.Add(new Effect.AnswerScan(caller, new ScanReply(request.Id, status, [], default)));

    // The cursor names the run, because slots are of this process's memory, and the slot to go on at.
    private void AnswerScan(ICaller caller, ScanRequest request)
    {
        var slot = 0;
        if (!request.Cursor.IsEmpty)
        {
            var cursor = request.Cursor.Span;
            if (cursor.Length != 12 || BinaryPrimitives.ReadInt64LittleEndian(cursor) != _options.Run)
            {
                RefuseScan(caller, request, ReadStatus.CursorLost);
                return;
            }

            slot = BinaryPrimitives.ReadInt32LittleEndian(cursor[8..]);
        }

        var (items, next) = _state.Scan(
            Math.Max(0, slot), Math.Clamp(request.MaxItems, 1, ScanPageItems), Math.Min(ScanPageBytes, _options.AnswerBytes));
        var nextCursor = Array.Empty<byte>();
        if (next >= 0)
        {
            nextCursor = new byte[12];
            BinaryPrimitives.WriteInt64LittleEndian(nextCursor, _options.Run);
            BinaryPrimitives.WriteInt32LittleEndian(nextCursor.AsSpan(8), next);
        }

        Effects.Add(new Effect.AnswerScan(caller, new ScanReply(request.Id, ReadStatus.Done, items, nextCursor)));
    }
}
