using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>
/// R5: takes reads from any thread, spreads them over the nodes that may answer, gathered per node, and asks another
/// node when one refuses or stays silent: a read may be asked any number of times. Thread-safe.
/// </summary>
internal sealed class ReadPipeline
{
    private readonly Lock _gate = new();
    private readonly ClusterMap _map;
    private readonly Action<NodeRoute, IClientMessage> _send;
    private readonly Func<long> _clock;
    private readonly Random _random;
    private readonly Dictionary<long, PendingRead> _open = [];
    private long _lastId;
    private string? _closed;

    internal ReadPipeline(ClusterMap map, Action<NodeRoute, IClientMessage> send, Func<long> clock, Random random)
    {
        _map = map;
        _send = send;
        _clock = clock;
        _random = random;
    }

    internal void Submit(PendingRead read)
    {
        ReadLane lane;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed is not null, typeof(RecoverKvClient));
            read.Id = ++_lastId;
            _open.Add(read.Id, read);
            lane = Enqueue(read, null);
        }

        Send(lane);
    }

    /// <summary>Answers came. A view that came with them has been offered to the map already.</summary>
    internal void Receive(ReadReplies replies, NodeRoute? from)
    {
        var ended = new List<(PendingRead Read, ReadAnswer Answer)>(replies.Answers.Count);
        var lanes = new HashSet<ReadLane>();
        lock (_gate)
        {
            var now = _clock();
            foreach (var answer in replies.Answers)
            {
                if (!_open.TryGetValue(answer.Id, out var read)) continue;
                if (read.Lane is { } lane)
                {
                    lane.Flights.Land(read.Flight);
                    lanes.Add(lane);
                }

                if (answer.Status is ReadStatus.Done or ReadStatus.Invalid)
                {
                    _open.Remove(answer.Id);
                    ended.Add((read, answer));
                }
                else if (read.SentAt != 0 && (from is null || from == read.Lane!.Route))
                {
                    // A refusal of the node that has it now; one that comes late from another says nothing.
                    if (answer.Status == ReadStatus.NotAlive) read.Lane!.Route.NotAlive(now);
                    if (Retry(read, now, pause: answer.Status != ReadStatus.NotAlive) is { } other) lanes.Add(other);
                }
            }
        }

        foreach (var (read, answer) in ended) End(read, answer);
        foreach (var lane in lanes) Send(lane);
    }

    /// <summary>The connection to a node broke: what it has not answered is asked of others at once.</summary>
    internal void Lost(NodeRoute route)
    {
        var lanes = new HashSet<ReadLane>();
        lock (_gate)
        {
            var now = _clock();
            foreach (var read in _open.Values)
            {
                if (read.Lane?.Route == route && Retry(read, now, pause: false) is { } lane) lanes.Add(lane);
            }
        }

        foreach (var lane in lanes) Send(lane);
    }

    /// <summary>Ends calls past their deadline, and asks again what was not answered.</summary>
    internal void Sweep(long now)
    {
        var lanes = new HashSet<ReadLane>();
        var ended = new List<PendingRead>();
        lock (_gate)
        {
            foreach (var read in _open.Values)
            {
                if (read.HasEnded || read.Deadline <= now)
                {
                    _open.Remove(read.Id);
                    ended.Add(read);
                }
                else if (SweepOpen(read, now) is { } lane)
                {
                    lanes.Add(lane);
                }
            }

            foreach (var node in _map.Table?.Nodes ?? [])
            {
                foreach (var lane in new[] { node.Linearizable, node.Stale })
                {
                    lane.Flights.Sweep(now);
                    if (lane.Waiting.Count > 0) lanes.Add(lane);
                }
            }
        }

        foreach (var read in ended)
            read.Fail(new NotDoneException("The read was not done: no node answered it in time."));
        foreach (var lane in lanes) Send(lane);
    }

    /// <summary>Ends every open call; later ones fail.</summary>
    internal void Close(string reason)
    {
        PendingRead[] open;
        lock (_gate)
        {
            _closed ??= reason;
            open = [.. _open.Values];
            _open.Clear();
        }

        foreach (var read in open) read.Fail(new NotDoneException($"The read was not done: {reason}"));
    }

    private static void End(PendingRead read, ReadAnswer answer)
    {
        if (answer.Status == ReadStatus.Invalid)
            read.Fail(new InvalidRequestException(answer.Text ?? "The request breaks a limit of the store."));
        else if (answer.Versions.Count != read.Keys.Count)
            read.Fail(new NotDoneException("The read was not done: the node's answer does not fit it."));
        else
            read.End(answer);
    }

    private ReadLane? SweepOpen(PendingRead read, long now)
    {
        if (read.Lane is not { } lane) return now >= read.PausedUntil ? Enqueue(read, null) : null;
        if (read.SentAt == 0) return lane.Route.Suspected ? Retry(read, now, pause: false) : null;
        // A node that answers others may hold this one until a write is committed (R5).
        var heard = lane.Route.LastHeard > read.SentAt;
        var patience = heard ? Timing.ReadRetry << Math.Min(read.Failures, 3) : Timing.ReadRetry;
        if (now - read.SentAt < patience) return null;
        if (!heard) lane.Route.Suspect();
        return Retry(read, now, pause: false);
    }

    /// <summary>Asks another node, after a pause if every node has had its turn.</summary>
    private ReadLane? Retry(PendingRead read, long now, bool pause)
    {
        var last = read.Lane?.Route;
        read.Failures++;
        _map.WantView();
        if (!pause && read.Failures % _map.Table!.Nodes.Length != 0) return Enqueue(read, last);
        read.Lane = null;
        read.SentAt = 0;
        read.PausedUntil = now + Timing.BackoffAfter(read.Failures, _random);
        return null;
    }

    private ReadLane Enqueue(PendingRead read, NodeRoute? last)
    {
        var lane = _map.PickReader(read.Consistency, last).Lane(read.Consistency);
        read.SentAt = 0;
        if (read.Lane != lane || read.Flight is not null)
        {
            read.Lane = lane;
            read.Flight = null;
            lane.Waiting.Enqueue(read);
        }

        return lane;
    }

    private void Send(ReadLane lane)
    {
        lock (_gate)
        {
            if (lane.Sending) return;
            lane.Sending = true;
        }

        try
        {
            while (Gather(lane) is { } reads) _send(lane.Route, new ReadBatch(lane.Consistency, reads));
        }
        catch
        {
            lock (_gate) lane.Sending = false;
            throw;
        }
    }

    /// <summary>The next message, or null, which also ends the sending.</summary>
    private List<Read>? Gather(ReadLane lane)
    {
        lock (_gate)
        {
            List<Read>? reads = null;
            if (lane.Flights.MayDepart)
            {
                Flight? flight = null;
                var now = _clock();
                var room = Timing.MessageBytes;
                while (lane.Waiting.TryPeek(out var read)
                    && (reads is null || reads.Count < Timing.MessageCalls && read.Bytes <= room))
                {
                    lane.Waiting.Dequeue();
                    if (read.Lane != lane || read.SentAt != 0 || read.HasEnded || !_open.ContainsKey(read.Id)) continue;
                    read.SentAt = now;
                    read.Flight = flight ??= lane.Flights.Depart(now);
                    (reads ??= []).Add(new Read(read.Id, read.Keys));
                    room -= read.Bytes;
                }
            }

            if (reads is null) lane.Sending = false;
            return reads;
        }
    }
}
