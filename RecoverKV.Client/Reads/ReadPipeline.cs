using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>
/// R5: takes reads from any thread, gathers them, spreads the messages over the nodes that may answer, and asks another
/// node when one refuses or stays silent: a read may be asked any number of times. Thread-safe.
/// </summary>
/// <remarks>Whoever finds something to send and nobody sending sends, until nothing is left.</remarks>
internal sealed class ReadPipeline
{
    private readonly Lock _gate = new();
    private readonly ClusterMap _map;
    private readonly Action<NodeRoute, IClientMessage> _send;
    private readonly Func<long> _clock;
    private readonly Random _random;
    private readonly Dictionary<long, PendingRead> _open = [];
    private readonly ReadQueue[] _queues;
    private long _lastId;

    /// <summary>How many bytes a version had of late.</summary>
    private long _versionBytes;
    private string? _closed;

    internal ReadPipeline(
        ClusterMap map, Action<NodeRoute, IClientMessage> send, Func<long> clock, Random random,
        Action<IThreadPoolWorkItem> later)
    {
        _map = map;
        _send = send;
        _clock = clock;
        _random = random;
        _queues = [.. Enum.GetValues<ReadConsistency>().Select(c => new ReadQueue(c, _gate, Send, later))];
    }

    internal void Submit(PendingRead read)
    {
        var queue = QueueOf(read);
        lock (_gate)
        {
            if (_closed is { } closed)
            {
                read.Fail(new NotDoneException($"The read was not done: {closed}"));
                ObjectDisposedException.ThrowIf(true, typeof(RecoverKvClient));
            }

            read.Id = ++_lastId;
            _open.Add(read.Id, read);
            queue.New.Enqueue(read);
            if (queue.Rush.Holds) return;
        }

        Send(queue);
    }

    /// <summary>Answers came. A view that came with them has been offered to the map already.</summary>
    internal void Receive(ReadReplies replies, NodeRoute? from)
    {
        var ended = new List<(PendingRead Read, ReadAnswer Answer)>(replies.Answers.Count);
        Span<int> counts = stackalloc int[_queues.Length];
        Span<bool> rushes = stackalloc bool[_queues.Length];
        var versions = VersionBytes(replies);
        lock (_gate)
        {
            var now = _clock();
            if (versions is { } seen) _versionBytes += _versionBytes == 0 ? seen : (seen - _versionBytes) / 4;
            foreach (var answer in replies.Answers)
            {
                if (!_open.TryGetValue(answer.Id, out var read)) continue;
                read.Lane?.Flights.Land(read.Flight);
                if (answer.Status is ReadStatus.Done or ReadStatus.Invalid)
                {
                    _open.Remove(answer.Id);
                    if (read.SentAt != 0) read.Lane!.Window.Answered(read.Expected, read.SentAt, now);
                    Land(read);
                    ended.Add((read, answer));
                    counts[(int)read.Consistency]++;
                }
                else if (read.SentAt != 0 && (from is null || from == read.Lane!.Route))
                {
                    // A refusal of the node that has it now; one that comes late from another says nothing.
                    if (answer.Status == ReadStatus.NotAlive) read.Lane!.Route.NotAlive(now);
                    Retry(read, now, pause: answer.Status is not (ReadStatus.NotAlive or ReadStatus.OtherStore));
                }
            }

            for (var i = 0; i < _queues.Length; i++) rushes[i] = _queues[i].Rush.Expect(counts[i]);
        }

        foreach (var (read, answer) in ended) End(read, answer);
        for (var i = 0; i < _queues.Length; i++)
        {
            if (rushes[i]) _queues[i].Rush.Begin();
        }

        Send();
    }

    /// <summary>The connection to a node broke: what it has not answered is asked of others at once.</summary>
    internal void Lost(NodeRoute route)
    {
        lock (_gate)
        {
            var now = _clock();
            foreach (var read in _open.Values)
            {
                if (read.Lane?.Route == route) Retry(read, now, pause: false);
            }
        }

        Send();
    }

    /// <summary>Ends calls past their deadline, and asks again what was not answered.</summary>
    internal void Sweep(long now)
    {
        var ended = new List<PendingRead>();
        var why = _map.Replaced;
        lock (_gate)
        {
            foreach (var read in _open.Values)
            {
                if (read.HasEnded || read.Deadline <= now || why is not null)
                {
                    _open.Remove(read.Id);
                    Land(read);
                    ended.Add(read);
                }
                else
                {
                    SweepOpen(read, now);
                }
            }

            foreach (var node in _map.Table?.Nodes ?? [])
            {
                foreach (var lane in node.Lanes) lane.Flights.Sweep(now);
            }
        }

        foreach (var read in ended)
            read.Fail(new NotDoneException($"The read was not done: {why ?? "no node answered it in time."}"));
        Send();
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

    private ReadQueue QueueOf(PendingRead read) => _queues[(int)read.Consistency];

    private void SweepOpen(PendingRead read, long now)
    {
        if (read.Lane is not { } lane)
        {
            if (now < read.PausedUntil) return;
            read.PausedUntil = long.MaxValue;
            QueueOf(read).New.Enqueue(read);
            return;
        }

        if (read.SentAt == 0)
        {
            if (lane.Route.Suspected) Retry(read, now, pause: false);
            return;
        }

        // A node that answers others may hold this one until a write is committed (R5); and large answers take their
        // time on a thin link, where asking for them once more would only make it longer.
        var heard = lane.Route.LastHeard > read.SentAt;
        var patience = Timing.Crossing(lane.Window.Out)
            + (heard ? Timing.ReadRetry << Math.Min(read.Failures, 3) : Timing.ReadRetry);
        if (now - read.SentAt < patience) return;
        if (!heard) lane.Route.Suspect();
        Retry(read, now, pause: false);
    }

    /// <summary>Asks another node, after a pause if every node has had its turn.</summary>
    private void Retry(PendingRead read, long now, bool pause)
    {
        var last = read.Lane?.Route;
        Land(read);
        read.Failures++;
        _map.WantView();
        if (pause || read.Failures % _map.Table!.Nodes.Length == 0)
        {
            read.Lane = null;
            read.PausedUntil = now + Timing.BackoffAfter(read.Failures, _random);
            return;
        }

        var lane = _map.PickReader(read.Consistency, last).Lane(read.Consistency);
        if (read.Lane == lane && read.Flight is null) return;
        read.Lane = lane;
        read.Flight = null;
        lane.Again.Enqueue(read);
    }

    /// <summary>It is under way no more.</summary>
    private static void Land(PendingRead read)
    {
        if (read.SentAt == 0) return;
        read.SentAt = 0;
        read.Lane!.Window.Land(read.Expected);
    }

    /// <summary>How many bytes a version of these answers has; null if there is none.</summary>
    private static long? VersionBytes(ReadReplies replies)
    {
        long bytes = 0, count = 0;
        foreach (var answer in replies.Answers)
        {
            for (var i = 0; i < answer.Versions.Count; i++) bytes += 32 + (answer.Versions[i]?.Value.Length ?? 0);
            count += answer.Versions.Count;
        }

        return count == 0 ? null : bytes / count;
    }

    private void Send()
    {
        foreach (var queue in _queues) Send(queue);
    }

    private void Send(ReadQueue queue)
    {
        lock (_gate)
        {
            if (queue.Sending || queue.Rush.Holds) return;
            queue.Sending = true;
        }

        try
        {
            while (Gather(queue) is var (lane, reads))
                _send(lane.Route, new ReadBatch(lane.Consistency, reads, _map.Table!.View.Cluster));
        }
        catch
        {
            lock (_gate) queue.Sending = false;
            throw;
        }
    }

    /// <summary>The next message, or null, which also ends the sending.</summary>
    private (ReadLane Lane, List<Read> Reads)? Gather(ReadQueue queue)
    {
        lock (_gate)
        {
            if (_map.Table is { } table)
            {
                foreach (var node in table.Nodes)
                {
                    var lane = node.Lane(queue.Consistency);
                    if (Collect(lane, lane.Again, Timing.MessageCalls) is { } again) return (lane, again);
                }

                if (queue.New.Count > 0)
                {
                    var lane = _map.PickReader(queue.Consistency, waiting: queue.New.Count).Lane(queue.Consistency);
                    if (Collect(lane, queue.New, Share(queue, table)) is { } reads) return (lane, reads);
                }
            }

            queue.Sending = false;
            return null;
        }
    }

    /// <summary>How many reads one message may take, so that all nodes work at the same time.</summary>
    private static int Share(ReadQueue queue, RouteTable table)
    {
        var calls = queue.New.Count;
        var nodes = table.Readers(queue.Consistency);
        foreach (var node in nodes) calls += node.Lane(queue.Consistency).Flights.Calls;
        return Math.Clamp((calls + nodes.Length - 1) / nodes.Length, Timing.MessageFew, Timing.MessageCalls);
    }

    private List<Read>? Collect(ReadLane lane, Queue<PendingRead> from, int most)
    {
        if (from.Count == 0 || !lane.Window.HasRoom || !lane.Flights.MayDepart(from.Count)) return null;
        var now = _clock();
        var departing = new List<PendingRead>(Math.Min(from.Count, most));
        var room = _map.Table!.MessageBytes;
        while (lane.Window.HasRoom && from.TryPeek(out var read)
            && (departing.Count == 0 || departing.Count < most && read.Bytes <= room))
        {
            from.Dequeue();
            // What was sent meanwhile, or pauses, or has ended, is passed over.
            var elsewhere = from == lane.Again
                ? read.Lane != lane
                : read.Lane is not null || read.PausedUntil != long.MaxValue;
            if (elsewhere || read.SentAt != 0 || read.HasEnded || !_open.ContainsKey(read.Id)) continue;
            departing.Add(read);
            room -= read.Bytes;
            read.Expected = (int)Math.Min(
                int.MaxValue / 2, read.Keys.Count * (_versionBytes == 0 ? Timing.VersionBytes : _versionBytes));
            lane.Window.Depart(read.Expected);
        }

        if (departing.Count == 0) return null;
        var flight = lane.Flights.Depart(now, departing.Count);
        var reads = new List<Read>(departing.Count);
        foreach (var read in departing)
        {
            read.Lane = lane;
            read.SentAt = now;
            read.Flight = flight;
            reads.Add(new Read(read.Id, read.Keys));
        }

        return reads;
    }
}
