using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Writes;

/// <summary>
/// R9: takes writes from any thread, numbers them within a session, sends them gathered to the sequencer, sends them
/// again under the same number until they are answered, and tells their callers how they ended. Thread-safe.
/// </summary>
/// <remarks>
/// Whoever finds something to send and nobody sending sends, until nothing is left; others add to the queues meanwhile.
/// Answers are in WriteAnswers.cs.
/// </remarks>
internal sealed partial class WritePipeline
{
    private readonly Lock _gate = new();
    private readonly ClusterMap _map;
    private readonly Action<NodeRoute, IClientMessage> _send;
    private readonly Func<long> _clock;
    private readonly Random _random;

    /// <summary>Calls without a number, in their order.</summary>
    private readonly WaitingWrites _waiting = new();

    /// <summary>Numbered writes to send again.</summary>
    private readonly Queue<PendingWrite> _again = new();

    /// <summary>Sessions with open writes, and the current one, by id.</summary>
    private readonly Dictionary<long, SessionWindow> _sessions = [];

    private readonly Flights _flights = new();
    private readonly ByteWindow _window = new();
    private readonly Rush _rush;

    /// <summary>New writes get numbers of this one; null until it is open.</summary>
    private SessionWindow? _session;

    /// <summary>The request that opens a session.</summary>
    private PendingWrite? _opening;

    private long _lastOrder;
    private long _pauseUntil;
    private int _refusals;
    private bool _sending;
    private string? _closed;

    internal WritePipeline(
        ClusterMap map, Action<NodeRoute, IClientMessage> send, Func<long> clock, Random random,
        Action<IThreadPoolWorkItem> later)
    {
        _rush = new Rush(_gate, () => _waiting.Count, Send, later);
        _map = map;
        _send = send;
        _clock = clock;
        _random = random;
    }

    internal Task<WriteResult> Submit(
        IReadOnlyList<WriteOperation> operations, bool returnPrevious, int bytes, long deadline,
        CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed) is not null, typeof(RecoverKvClient));
        var write = new PendingWrite(operations, bytes, deadline) { ReturnPrevious = returnPrevious };
        write.CancelWith(cancellation);
        lock (_gate)
        {
            if (_closed is { } closed)
            {
                write.GiveUp(closed);
                return write.Task;
            }

            write.Order = ++_lastOrder;
            _waiting.Add(write);
        }

        Send();
        return write.Task;
    }

    /// <summary>The view changed: what another node got goes to the sequencer now.</summary>
    internal void Reroute(RouteTable table)
    {
        lock (_gate)
        {
            if (table.Sequencer is not null)
            {
                foreach (var write in AllOpen())
                {
                    if (write.SentTo != table.Sequencer) SendAgain(write);
                }
            }
        }

        Send();
    }

    /// <summary>Ends calls past their deadline, and sends again what is lost.</summary>
    internal void Sweep(long now)
    {
        lock (_gate)
        {
            _flights.Sweep(now);
            if (_map.Replaced is { } replaced) EndAll(replaced);
            while (_waiting.First is { } write && (write.Deadline <= now || write.Task.IsCompleted))
            {
                _waiting.Take();
                write.GiveUp(_map.Table?.Sequencer is null ? "no node leads the cluster now."
                    : _whyRefused is { } why ? $"{why}."
                    : "the sequencer did not take it in time.");
            }

            foreach (var write in AllOpen().ToList()) SweepOpen(write, now);
            if (_opening is not null && _waiting.Count == 0) _opening = null;
        }

        Send();
    }

    /// <summary>Ends every open call; later ones fail.</summary>
    internal void Close(string reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            EndAll(reason);
        }
    }

    private void EndAll(string reason)
    {
        while (_waiting.Take() is { } write) write.GiveUp(reason);
        foreach (var write in AllOpen())
        {
            NotUnderWay(write);
            write.GiveUp(reason);
        }

        _sessions.Clear();
        _again.Clear();
        _session = null;
        _opening = null;
    }

    private IEnumerable<PendingWrite> AllOpen()
    {
        foreach (var session in _sessions.Values)
        {
            foreach (var write in session.Open) yield return write;
        }

        if (_opening is not null) yield return _opening;
    }

    private void SweepOpen(PendingWrite write, long now)
    {
        if (write.Deadline <= now)
        {
            // From the next request on the low-water mark is beyond it, and no copy that comes later is executed.
            Release(write);
            write.GiveUp(_whyRefused is { } why ? $"{why}." : "there was no answer in time.");
        }
        else if (!write.Queued && write.SentTo is { } node)
        {
            if (node.Suspected) _map.WantView();
            var waited = now - write.SentAt;
            if (write.Losses != node.Losses)
            {
                // Into the void it is not sent: a question goes first.
                if (node.IsThere) SendAgain(write);
            }
            else if (waited >= Timing.WriteRetry + Timing.Crossing(_window.Out))
            {
                // It may be on its way, or wait for its commit: a second copy would only make that longer. A question
                // that goes behind it tells whether it has arrived.
                node.Doubt();
                _map.WantView();
                if (node.LastHeard <= write.SentAt) node.Suspect();
                else if (node.HasGot(write.SentAt) && waited >= Patience(write, node)) SendAgain(write);
            }
        }
    }

    /// <summary>How long a node may keep a write that it has got, before it is taken for lost there.</summary>
    private static long Patience(PendingWrite write, NodeRoute node) =>
        Math.Max(Timing.WriteRetryMost, Timing.WriteRetryTrips * node.RoundTrip) << Math.Min(write.Resends, 3);

    private void SendAgain(PendingWrite write)
    {
        if (write.Queued) return;
        NotUnderWay(write);
        write.Queued = true;
        _again.Enqueue(write);
    }

    private void NotUnderWay(PendingWrite write)
    {
        if (!write.UnderWay) return;
        write.UnderWay = false;
        _window.Land(write.Bytes);
    }

    /// <summary>Takes a numbered write out of its session's window.</summary>
    private void Release(PendingWrite write)
    {
        NotUnderWay(write);
        if (write == _opening)
        {
            _opening = null;
            return;
        }

        _flights.Land(write.Flight);
        var session = write.Session!;
        session.Remove(write);
        if (session.IsEmpty && session != _session) _sessions.Remove(session.Id);
    }

    private void Send()
    {
        lock (_gate)
        {
            if (_sending || _rush.Holds) return;
            _sending = true;
        }

        try
        {
            while (Gather() is { } message)
            {
                var requests = new WriteRequest[message.Writes.Count];
                for (var i = 0; i < requests.Length; i++)
                {
                    var write = message.Writes[i];
                    requests[i] = write.Request ??= WriteRequestCodec.Create(
                        write.Session?.Id ?? 0, write.Number, message.LowWater, write.Operations, write.ReturnPrevious);
                }

                _send(message.To, new WriteBatch(requests, message.Store));
            }
        }
        catch
        {
            lock (_gate) _sending = false;
            throw;
        }
    }

    /// <summary>The next message, or null, which also ends the sending.</summary>
    private Message? Gather()
    {
        lock (_gate)
        {
            var now = _clock();
            if (Collect(now) is { } message) return message;
            _sending = false;
            return null;
        }
    }

    private Message? Collect(long now)
    {
        var ready = _again.Count + _waiting.Count;
        if (now < _pauseUntil || ready == 0 || !_flights.MayDepart(ready)) return null;
        if (_map.Table is not { Sequencer: { IsThere: true } sequencer } table)
        {
            _map.WantView();
            return null;
        }

        // Half of all writes in each message: while one is stored, the next one is on its way.
        var most = Math.Clamp((ready + _flights.Calls + 1) / 2, Timing.MessageFew, Timing.MessageCalls);
        var writes = new List<PendingWrite>(Math.Min(ready, most));
        var room = table.MessageBytes;
        while (_window.HasRoom && _again.TryPeek(out var write) && Fits(write, writes.Count, most, room))
        {
            _again.Dequeue();
            write.Queued = false;
            if (!IsOpen(write)) continue;
            if (write != _opening && write.Session != _session && !write.MaybeTaken)
            {
                // Its session is gone, and no copy of it is left: the next session takes it.
                BackToWaiting(write);
                continue;
            }

            Depart(write, writes);
            room -= write.Bytes;
        }

        CollectWaiting(writes, most, room);
        if (writes.Count == 0) return null;
        var flight = _flights.Depart(now, writes.Count);
        foreach (var write in writes) write.Sent(sequencer, flight, now);
        return new Message(sequencer, writes, _session?.LowWater ?? 0, table.View.Cluster);
    }

    private void CollectWaiting(List<PendingWrite> writes, int most, int room)
    {
        while (_window.HasRoom && _waiting.First is { } write && Fits(write, writes.Count, most, room))
        {
            if (write.Task.IsCompleted)
            {
                _waiting.Take();
                continue;
            }

            if (_session is null)
            {
                if (_opening is not null) return;
                _opening = new PendingWrite([], 0, long.MaxValue) { Number = _random.NextInt64(1, long.MaxValue) };
                Depart(_opening, writes);
                return;
            }

            if (_session.IsFull) return;
            _waiting.Take();
            _session.Add(write);
            Depart(write, writes);
            room -= write.Bytes;
        }
    }

    private void Depart(PendingWrite write, List<PendingWrite> with)
    {
        with.Add(write);
        write.UnderWay = true;
        _window.Depart(write.Bytes);
    }

    private bool IsOpen(PendingWrite write) =>
        write == _opening || write.Session is { } session && session.Find(write.Number) == write;

    private void BackToWaiting(PendingWrite write)
    {
        Release(write);
        write.LeaveSession();
        if (!write.Task.IsCompleted) _waiting.AddBack(write);
    }

    private static bool Fits(PendingWrite write, int count, int most, int room) =>
        count == 0 || count < most && write.Bytes <= room;

    /// <summary>What to send where. Only writes without a wire form yet get the low-water mark.</summary>
    private sealed record Message(NodeRoute To, List<PendingWrite> Writes, long LowWater, Guid Store);
}
