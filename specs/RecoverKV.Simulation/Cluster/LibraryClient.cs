using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Replica;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;
using RecoverKV.Simulation.Linearizability;
using Limits = RecoverKV.Client.Limits;

namespace RecoverKV.Simulation.Cluster;

/// <summary>The library's own code, over connections that break: what it sends where and when, and what it says of each
/// call, follow from <see cref="ClientCore"/> alone.</summary>
internal sealed class LibraryClient : SimulatedClient
{
    private sealed record Call(ClientOperation Operation, Task Task, Action Close);

    private readonly SimulatedCluster _cluster;
    private readonly Prng _random;
    private readonly Workload _workload;
    private readonly ClientCore _core;
    private readonly ClientLink[] _links;
    private readonly List<Call> _open = [];
    private readonly List<ClientOperation> _done = [];

    /// <summary>Answers of one step of a node, which go together.</summary>
    private readonly List<(Attempt Attempt, ReadAnswer? Read, WriteAnswer? Write)>[] _answers;

    /// <summary>By the operations of a write, or the keys of a read, as the library passes them on.</summary>
    private readonly Dictionary<object, ClientOperation> _known = new(ReferenceEqualityComparer.Instance);

    /// <summary>By the number of the request.</summary>
    private readonly Dictionary<long, ClientOperation> _openings = [];

    private bool _finishing;
    private bool _wroteLast;
    private bool _readLast;

    public LibraryClient(SimulatedCluster cluster, int number, Prng random) : base(number)
    {
        (_cluster, _random) = (cluster, random);
        _workload = new Workload(cluster.Scenario, number, random.Fork());
        _core = new ClientCore(
            Send, () => Milliseconds, new Random((int)(random.Next() >> 33)),
            work => cluster.Scheduler.After(TimeSpan.Zero, () => Do(work.Execute)));
        _core.Map.Choosing = true;
        _links = [.. cluster.Nodes.Select(n => new ClientLink(cluster, n, random.Fork(), () => Lost(n)))];
        _answers = [.. cluster.Nodes.Select(_ => new List<(Attempt, ReadAnswer?, WriteAnswer?)>())];
    }

    public override IEnumerable<ClientOperation> History =>
        _done.Concat(_open.Select(c => c.Operation)).Where(o => o.Actions is not null);

    public override bool IsDone => _finishing && _open.Count == 0 && _wroteLast && _readLast;

    // Zero means never in the library, as the clock of a machine is far beyond it.
    private long Milliseconds => 1000 + (long)_cluster.Scheduler.Now.TotalMilliseconds;

    private ClusterView? View => _core.Map.Table?.View;

    public override void Start()
    {
        Find();
        Sweep();
        Think();
    }

    public override void Finish()
    {
        _finishing = true;
        Do(EndWell);
    }

    public override void Ended(SimulatedNode node) => _links[node.Index].Break();

    private void Find()
    {
        if (!_core.Map.Choosing) return;
        foreach (var link in _links) Ask(link, 0);
        _cluster.Scheduler.After(TimeSpan.FromMilliseconds(Timing.ConnectRetry), Find);
    }

    private void Sweep() => _cluster.Scheduler.After(TimeSpan.FromMilliseconds(Timing.Sweep), () =>
    {
        Do(_core.Sweep);
        if (_finishing) Do(EndWell);
        Sweep();
    });

    private void Think() => _cluster.Scheduler.After(_random.Between(TimeSpan.Zero, _cluster.Scenario.Think), () =>
    {
        if (_finishing) return;
        if (_open.Count < _cluster.Scenario.Pipeline && !_core.Map.Choosing) Do(Begin);
        Think();
    });

    private void Begin()
    {
        if (_random.Chance(0.5))
            for (var i = _random.Chance(0.3) ? _cluster.Scenario.Pipeline - _open.Count : 1; i > 0; i--) Write();
        else Read();
    }

    /// <summary>Nothing is given up any more: until one write and one read more are done, there are some.</summary>
    private void EndWell()
    {
        if (_open.Count > 0 || _core.Map.Choosing) return;
        if (!_wroteLast) Write();
        else if (!_readLast) Read();
    }

    // A write of which a copy may have been taken is tried for as long as there is no room.
    private bool WaitsForEver => _finishing && _cluster.Scenario.Options.MemoryQuota == long.MaxValue;

    private long Deadline =>
        Milliseconds + (long)(WaitsForEver ? TimeSpan.FromHours(1) : _cluster.Scenario.GiveUp).TotalMilliseconds;

    private void Write()
    {
        var writes = _workload.Write();
        if (Limits.Broken(writes, View!, out var bytes) is { } broken)
            throw new ViolationException("Good requests are taken", broken.Message);
        var operation = New(_workload.Actions(writes));
        _known.Add(writes, operation);
        var task = _core.Writes.Submit(
            writes, _random.Chance(_cluster.Scenario.AskPrevious), bytes, Deadline, CancellationToken.None);
        _open.Add(new Call(operation, task, () =>
        {
            _known.Remove(writes);
            _cluster.Statistics.Writes++;
            if (task.IsCompletedSuccessfully) Close(operation, task.Result);
            else Failed(operation, task);
        }));
    }

    private void Read()
    {
        var stale = !_finishing && _random.Chance(0.15);
        var keys = _workload.Read();
        Key[] names = [.. keys.Select(Values.Key)];
        var operation = New(stale ? null : [.. keys.Select(k => new KeyAction(ActionKind.Get, k))]);
        operation.Consistency = stale ? ReadConsistency.Stale : ReadConsistency.Linearizable;
        _known.Add(names, operation);
        var read = new PendingRead<ReadAnswer>(names, operation.Consistency, Deadline, answer => answer);
        _core.Reads.Submit(read);
        _open.Add(new Call(operation, read.Task, () =>
        {
            _known.Remove(names);
            _cluster.Statistics.Reads++;
            if (!read.Task.IsCompletedSuccessfully)
            {
                Failed(operation, read.Task);
                return;
            }

            if (operation.Actions is not null) _workload.Observe(operation, read.Task.Result.Versions);
            operation.Outcome = Outcome.Applied;
            operation.Return = _cluster.Scheduler.Steps;
            _readLast |= _finishing && _wroteLast;
        }));
    }

    private ClientOperation New(KeyAction[]? actions) =>
        new(this, _cluster.Scheduler.Now, _cluster.Scheduler.Steps) { Actions = actions };

    private void Close(ClientOperation operation, WriteResult result)
    {
        operation.Outcome = result.Applied ? Outcome.Applied : Outcome.Refused;
        operation.Return = _cluster.Scheduler.Steps;
        operation.Uid = result.Uid;
        if (result.Previous.Count > 0) _workload.Observe(operation, result.Previous);
        else Workload.ObserveNothing(operation, result.Applied);
        _wroteLast |= _finishing;
    }

    private void Failed(ClientOperation operation, Task task)
    {
        _cluster.Statistics.Unknown++;
        // Answered, too.
        _wroteLast |= _finishing && task.Exception!.InnerException is StoreFullException;
        operation.WasNotDone = task.Exception!.InnerException switch
        {
            NotDoneException => operation.IsWrite,
            OutcomeUnknownException => false,
            var e => throw new ViolationException("Good requests are taken", e!.Message),
        };
    }

    /// <summary>Anything that may end calls.</summary>
    private void Do(Action action)
    {
        action();
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            var call = _open[i];
            if (!call.Task.IsCompleted) continue;
            _open.RemoveAt(i);
            call.Operation.IsOpen = false;
            call.Close();
            _done.Add(call.Operation);
        }
    }

    private void Lost(SimulatedNode node)
    {
        if (_core.Map.Find(node.Id.Name) is { } route) Do(() => _core.Lost(route));
    }

    private void Send(NodeRoute to, IClientMessage message)
    {
        var link = _links[Array.FindIndex(_cluster.NodeIds, n => n.Name == to.Node)];
        switch (message)
        {
            case WriteBatch batch:
                CheckSize(WritesCodec.Encode(batch));
                Attempt[] writes = [.. batch.Requests.Select(r => Attempt(r, link.Node))];
                Deliver(link, batch, core =>
                {
                    foreach (var attempt in writes) Submit(link.Node, core, attempt);
                });
                break;
            case ReadBatch batch:
                CheckSize(ReadsCodec.Encode(batch));
                Attempt[] reads = [.. batch.Reads.Select(r => Attempt(r, link.Node))];
                Deliver(link, batch, core =>
                {
                    foreach (var attempt in reads)
                    {
                        foreach (var property in _cluster.Properties) property.OnRequest(attempt);
                        core.Read(link.Node.Clock, attempt, batch.Consistency, attempt.Operation.Read);
                    }
                });
                break;
            case ClusterViewRequest request:
                Ask(link, request.Id);
                break;
            default:
                throw new ViolationException("The library sends requests", $"{message}");
        }
    }

    private void Submit(SimulatedNode node, ReplicaCore core, Attempt attempt)
    {
        foreach (var property in _cluster.Properties) property.OnRequest(attempt);
        core.Submit(node.Clock, attempt, [attempt.Request!]);
    }

    private void CheckSize(WireWriter bytes)
    {
        var most = Limits.MessageBytes(View!);
        if (bytes.Length > most + ClientLimits.FrameOverhead / 2)
            throw new ViolationException(
                "Messages fit their frame", $"{Name} sends {bytes.Length} bytes where {most} are allowed");
    }

    private Attempt Attempt(WriteRequest request, SimulatedNode node)
    {
        _cluster.Trace.Add(_cluster.Scheduler.Now, "write", Name, node.Id.Name, request);
        // Nobody calls for a session: the library opens it by itself.
        if (request.Session == 0) _openings.TryAdd(request.Number, New(null));
        var operation = request.Session == 0 ? _openings[request.Number] : _known[request.Operations];
        if (request.Session != 0 && !operation.Names.Contains((request.Session, request.Number)))
            operation.Names.Add((request.Session, request.Number));
        operation.Attempts++;
        operation.Request = request;
        return new Attempt(operation, node) { Request = request };
    }

    private Attempt Attempt(Read read, SimulatedNode node)
    {
        _cluster.Trace.Add(_cluster.Scheduler.Now, "read", Name, node.Id.Name, $"{read.Id}");
        var operation = _known[read.Keys];
        operation.Attempts++;
        operation.Read = read;
        return new Attempt(operation, node);
    }

    private void Deliver(ClientLink link, IClientMessage message, Action<ReplicaCore> input)
    {
        var node = link.Node;
        link.ToNode(() => node.Input(core =>
        {
            if (OtherStore.Refusal(message, node.Store, () => ViewOf(node, core, 0)) is { } refusal)
                link.ToClient(() => Received(node, refusal));
            // While a client knows no store it names none; here it never begins with another one's.
            else if (node.IsForeign) link.Break();
            else input(core);
        }));
    }

    private void Ask(ClientLink link, long id) => link.ToNode(() => link.Node.Input(core =>
    {
        if (link.Node.IsForeign && _core.Map.Choosing) return;
        var view = ViewOf(link.Node, core, id);
        link.ToClient(() => Received(link.Node, view));
    }));

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, WriteAnswer answer) =>
        Answer(node, (attempt, null, answer));

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ReadAnswer answer) =>
        Answer(node, (attempt, answer, null));

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ScanReply reply) =>
        throw new NotSupportedException("It does not scan.");

    private void Answer(SimulatedNode node, (Attempt Attempt, ReadAnswer? Read, WriteAnswer? Write) answer)
    {
        // Of a read, the point as of this answer.
        if (answer.Read is not null)
            answer.Attempt = new Attempt(answer.Attempt.Operation, node) { Point = answer.Attempt.Point };
        var answers = _answers[node.Index];
        answers.Add(answer);
        if (answers.Count > 1) return;
        var link = _links[node.Index];
        var connection = link.Connection;
        _cluster.Scheduler.After(TimeSpan.Zero, () =>
        {
            // What the process has not sent when it ends is gone with it.
            if (node.Core is { } core && connection == link.Connection) Flush(node, link, core, [.. answers]);
            answers.Clear();
        });
    }

    private void Flush(
        SimulatedNode node, ClientLink link, ReplicaCore core,
        (Attempt Attempt, ReadAnswer? Read, WriteAnswer? Write)[] answers)
    {
        WriteAnswer[] writes = [.. answers.Select(a => a.Write).OfType<WriteAnswer>()];
        ReadAnswer[] reads = [.. answers.Select(a => a.Read).OfType<ReadAnswer>()];
        if (writes.Length > 0)
        {
            var view = writes.Any(a => a.Status == WriteStatus.NotSequencer) ? ViewOf(node, core, 0) : null;
            link.ToClient(() => Received(node, new WriteReplies(writes, view)));
        }

        if (reads.Length == 0) return;
        var replies = new ReadReplies(
            reads, reads.Any(a => a.Status == ReadStatus.NotAlive) ? ViewOf(node, core, 0) : null);
        link.ToClient(() =>
        {
            foreach (var (attempt, read, _) in answers)
            {
                if (read?.Status == ReadStatus.Done && attempt.Operation.IsOpen)
                    attempt.Operation.Point ??= attempt.Point;
            }

            Received(node, replies);
        });
    }

    private void Received(SimulatedNode node, IClientMessage message)
    {
        Do(() => _core.Received(message, _core.Map.Find(node.Id.Name)));
        if (_core.Map.Table is { Sequencer: not null }) _core.Map.Choosing = false;
    }

    private ClusterView ViewOf(SimulatedNode node, ReplicaCore core, long id)
    {
        var options = _cluster.Scenario.Options;
        var view = core.View;
        return new ClusterView(
            id, view.Epoch.Value, core.KnownSequencer(node.Clock)?.Name,
            [.. _cluster.Nodes.Select(
                n => new NodeAddress(n.Id.Name, n.Id.Name, n.Index + 1, view.InSync.Contains(n.Id)))],
            options.MaxKeyBytes, options.MaxValueBytes, node.Store, options.MaxRequestBytes, options.FrameSize);
    }
}
