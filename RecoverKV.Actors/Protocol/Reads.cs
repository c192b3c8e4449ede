using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

// R5 Read: any replica with a lease answers from memory. A key with a write that may be committed elsewhere waits for
// the word of it.
public sealed partial class ReplicaCore
{
    private const long ScanPageBytes = 1024 * 1024;

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
        if (_state.Check(read) is { } invalid)
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
            var waitFor = _state.WaitsFor(read);
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
        if (_state.Check(request) is { } invalid)
            Effects.Add(new Effect.AnswerScan(
                caller, new ScanReply(request.Id, ReadStatus.Invalid, [], default, Text: invalid)));
        else if (request.Consistency == ReadConsistency.Stale
            || (HasLease(now) && _log.Durable.Contiguous <= _state.Applied))
            AnswerScan(caller, request);
        else if (!HasLease(now)) RefuseScan(caller, request);
        else if (!TryBlock(caller, request)) RefuseScan(caller, request, ReadStatus.Busy);
        Settle();
    }

    // What waits has memory of its own: a small key must not keep the message of 4 MiB that it came with.
    private bool TryBlock(ICaller caller, Read read, Uid waitFor)
    {
        var bytes = WaitingQuestion.Bytes(read);
        if (!HasRoomToBlock(caller, bytes)) return false;
        Block(new BlockedRead(caller, WaitingQuestion.Detach(read), null, bytes), waitFor);
        return true;
    }

    private bool TryBlock(ICaller caller, ScanRequest request)
    {
        var bytes = WaitingQuestion.Bytes(request);
        if (!HasRoomToBlock(caller, bytes)) return false;
        Block(new BlockedRead(caller, null, WaitingQuestion.Detach(request), bytes), _log.Durable.Contiguous);
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

    private void Answer(ICaller caller, Read read, long age) => AnswerRead(caller, _state.Answer(read, age));

    private void AnswerRead(ICaller caller, ReadAnswer answer) => Effects.Add(new Effect.AnswerRead(caller, answer));

    private void RefuseScan(ICaller caller, ScanRequest request, ReadStatus status = ReadStatus.NotAlive) =>
        Effects.Add(new Effect.AnswerScan(caller, new ScanReply(request.Id, status, [], default)));

    private void AnswerScan(ICaller caller, ScanRequest request) =>
        Effects.Add(new Effect.AnswerScan(
            caller, _state.Answer(request, Math.Min(ScanPageBytes, _options.AnswerBytes))));
}
