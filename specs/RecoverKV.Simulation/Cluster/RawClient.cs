using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A client of another make, with a session: it numbers its writes, asks other nodes under the same number
/// when no answer comes, and gives up after a time. Its messages get lost, doubled, and overtake each other. Some
/// number their writes as they like, each number once.</summary>
internal sealed class RawClient(SimulatedCluster cluster, int number, Prng random) : SimulatedClient(number)
{
    private readonly List<ClientOperation> _open = [];
    private readonly List<ClientOperation> _done = [];
    private readonly Workload _workload = new(cluster.Scenario, number, random.Fork());
    private long _session;
    private long _nextNumber = 1;
    private long _nextRead = 1;
    private SimulatedNode _sequencer = cluster.Nodes[0];
    private bool _finishing;
    private readonly bool _anyNumbers = random.Chance(cluster.Scenario.AnyNumbers);
    private readonly HashSet<long> _numbers = [];

    public override IEnumerable<ClientOperation> History => _done.Concat(_open).Where(o => o.Actions is not null);

    public override bool IsDone => _finishing && _open.Count == 0;

    public override void Start()
    {
        Open();
        Think();
    }

    public override void Finish()
    {
        _finishing = true;
        if (_session != 0) SubmitWrites(1);
        BeginRead();
    }

    private void Think() => cluster.Scheduler.After(random.Between(TimeSpan.Zero, cluster.Scenario.Think), () =>
    {
        if (_finishing) return;
        if (_open.Count < cluster.Scenario.Pipeline && _session != 0) Begin();
        Think();
    });

    private void Begin()
    {
        if (random.Chance(0.5)) SubmitWrites(random.Chance(0.3) ? cluster.Scenario.Pipeline - _open.Count : 1);
        else if (random.Chance(0.05)) BeginScan();
        else BeginRead();
    }

    private void Open()
    {
        var request = WriteRequestCodec.Create(0, (long)(random.Next() >> 1) | 1, 0, []);
        var operation = NewOperation(request: request);
        SendWrites([operation]);
    }

    private void SubmitWrites(int count)
    {
        var operations = new List<ClientOperation>();
        while (count-- > 0)
        {
            var writes = _workload.Write();
            var own = NextNumber();
            var low = _open.Where(o => o.Request?.Session == _session).Select(o => o.Request!.Number).Append(own).Min();
            if (_anyNumbers) low = random.OneOf(0, 1, low, low, Math.Max(0, own - random.Below(100)), own);
            var operation = NewOperation(request: WriteRequestCodec.Create(
                SessionOfWrite(), own, low, writes, random.Chance(cluster.Scenario.AskPrevious)));
            operation.Actions = _workload.Actions(writes);
            operations.Add(operation);
        }

        SendWrites(operations);
    }

    private long NextNumber()
    {
        if (!_anyNumbers) return _nextNumber++;
        while (true)
        {
            var number = random.Below(6) switch
            {
                0 => long.MaxValue - random.Below(8),
                1 => (1L << random.Between(30, 62)) + random.Below(8),
                2 => 2_000_000_000 + random.Below(1000),
                3 => 1 + (long)(random.Next() >> 2),
                _ => _nextNumber += random.Between(1, 3),
            };
            if (_numbers.Add(number)) return number;
        }
    }

    /// <summary>Its own, or one that nobody opened nor will.</summary>
    private long SessionOfWrite() =>
        _anyNumbers && random.Chance(0.02) ? random.OneOf(1L << 61, long.MaxValue) : _session;

    private void BeginRead()
    {
        var stale = !_finishing && random.Chance(0.15);
        var keys = _workload.Read();
        var operation = new ClientOperation(this, cluster.Scheduler.Now, cluster.Scheduler.Steps)
        {
            Read = new Read(_nextRead++, [.. keys.Select(Values.Key)]),
            Consistency = stale ? ReadConsistency.Stale : ReadConsistency.Linearizable,
            Actions = stale ? null : [.. keys.Select(k => new KeyAction(ActionKind.Get, k))],
        };
        _open.Add(operation);
        SendRead(operation, random.Pick(cluster.Nodes));
    }

    private void BeginScan()
    {
        var operation = new ClientOperation(this, cluster.Scheduler.Now, cluster.Scheduler.Steps)
        {
            Scan = new ScanRequest(
                _nextRead++, ReadConsistency.Linearizable, default, random.Between(1, 4),
                Range: DrawRange(), Reverse: random.Chance(0.3)),
        };
        _open.Add(operation);
        SendRead(operation, random.Pick(cluster.Nodes));
    }

    private KeyRange DrawRange()
    {
        if (random.Chance(0.5)) return KeyRange.All;
        if (random.Chance(0.3)) return KeyRange.Prefix("k1");
        var (one, other) =
            (Values.Key(random.Below(cluster.Scenario.Keys)), Values.Key(random.Below(cluster.Scenario.Keys)));
        return one <= other ? KeyRange.Between(one, other) : KeyRange.Between(other, one);
    }

    private ClientOperation NewOperation(WriteRequest request)
    {
        var operation = new ClientOperation(this, cluster.Scheduler.Now, cluster.Scheduler.Steps) { Request = request };
        _open.Add(operation);
        return operation;
    }

    private void SendWrites(List<ClientOperation> operations)
    {
        if (operations[0].Attempts % 3 == 2) _sequencer = random.Pick(cluster.Nodes);
        var node = _sequencer;
        var attempts = operations.Select(o => new Attempt(o, node) { Request = o.Request }).ToArray();
        foreach (var operation in operations)
        {
            operation.Attempts++;
            cluster.Trace.Add(cluster.Scheduler.Now, "write", Name, node.Id.Name, operation.Request);
            Watch(operation);
        }

        cluster.Network.Send(() => InputOfStore(node, core =>
        {
            // One caller for each request; together, they are one message in the order of the calls.
            foreach (var attempt in attempts)
            {
                foreach (var property in cluster.Properties) property.OnRequest(attempt);
                core.Submit(node.Clock, attempt, [attempt.Request!]);
            }
        }));
    }

    private void SendRead(ClientOperation operation, SimulatedNode node)
    {
        operation.Attempts++;
        var attempt = new Attempt(operation, node);
        cluster.Trace.Add(cluster.Scheduler.Now, "read", Name, node.Id.Name, $"{operation.Read.Id}");
        Watch(operation);
        cluster.Network.Send(() => InputOfStore(node, core =>
        {
            foreach (var property in cluster.Properties) property.OnRequest(attempt);
            if (operation.Scan is { } scan) core.Scan(node.Clock, attempt, scan);
            else core.Read(node.Clock, attempt, operation.Consistency, operation.Read);
        }));
    }

    // Clients name the store that they mean; a node of another one does not take their requests.
    private static void InputOfStore(SimulatedNode node, Action<ReplicaCore> input)
    {
        if (!node.IsForeign) node.Input(input);
    }

    /// <summary>Asks again when no answer comes, or gives up.</summary>
    private void Watch(ClientOperation operation)
    {
        var attempts = operation.Attempts;
        var patience = random.Milliseconds(50, 300) + 4 * cluster.Scenario.MaxDelay;
        cluster.Scheduler.After(patience, () =>
        {
            if (operation.IsOpen && operation.Attempts == attempts) Retry(operation);
        });
    }

    private void Retry(ClientOperation operation)
    {
        if (!operation.IsOpen) return;
        var isOpening = operation.Request is { Session: 0 };
        if (!_finishing && !isOpening && cluster.Scheduler.Now - operation.Start > cluster.Scenario.GiveUp)
        {
            cluster.Statistics.Unknown++;
            Close(operation, Outcome.Unknown);
            return;
        }

        cluster.Statistics.Retries++;
        if (operation.Request is not null) SendWrites([operation]);
        else SendRead(operation, random.Pick(cluster.Nodes));
    }

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, WriteAnswer answer)
    {
        var leader = core.KnownSequencer(node.Clock);
        cluster.Network.Send(() => Answered(attempt, answer, leader));
    }

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ReadAnswer answer)
    {
        var point = attempt.Point;
        cluster.Network.Send(() => Answered(attempt, answer, point));
    }

    public override void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ScanReply reply) =>
        cluster.Network.Send(() => Answered(attempt, reply));

    private void Answered(Attempt attempt, WriteAnswer answer, NodeId? leader)
    {
        var operation = attempt.Operation;
        if (leader is { } node) _sequencer = cluster.Nodes[Array.IndexOf(cluster.NodeIds, node)];
        if (!operation.IsOpen) return;
        switch (answer.Status)
        {
            case WriteStatus.Done or WriteStatus.ConditionFailed:
                if (answer.Session == 0)
                {
                    _session = answer.Uid;
                    _nextNumber = 1;
                    _numbers.Clear();
                }
                else if (answer.Previous.Count > 0) _workload.Observe(operation, answer.Previous);
                else Workload.ObserveNothing(operation, answer.Status == WriteStatus.Done);
                Close(operation, answer.Status == WriteStatus.Done ? Outcome.Applied : Outcome.Refused);
                break;
            case WriteStatus.Busy or WriteStatus.NotSequencer:
                RetrySoon(operation);
                break;
            case WriteStatus.SessionUnknown:
                Close(operation, Outcome.Unknown);
                if (operation.Request!.Session != _session || _finishing) break;
                _session = 0;
                Open();
                break;
            default:
                Close(operation, Outcome.Unknown);
                break;
        }
    }

    private void Answered(Attempt attempt, ReadAnswer answer, long? point)
    {
        var operation = attempt.Operation;
        if (!operation.IsOpen) return;
        if (answer.Status != ReadStatus.Done)
        {
            RetrySoon(operation);
            return;
        }

        operation.Point = point;
        if (operation.Actions is not null) _workload.Observe(operation, answer.Versions);
        Close(operation, Outcome.Applied);
    }

    private void Answered(Attempt attempt, ScanReply reply)
    {
        var operation = attempt.Operation;
        if (!operation.IsOpen || reply.Id != operation.Scan!.Id) return;
        if (reply.Status == ReadStatus.Done)
        {
            foreach (var property in cluster.Properties) property.OnScanPage(attempt, reply);
        }

        if (reply.Status != ReadStatus.Done || reply.Next.IsEmpty) Close(operation, Outcome.Applied);
        else
        {
            operation.Scan = operation.Scan with { Id = _nextRead++, Cursor = reply.Next };
            SendRead(operation, random.Chance(0.7) ? attempt.Node : random.Pick(cluster.Nodes));
        }
    }

    private void RetrySoon(ClientOperation operation)
    {
        var attempts = operation.Attempts;
        cluster.Scheduler.After(random.Milliseconds(5, 60), () =>
        {
            if (operation.Attempts == attempts) Retry(operation);
        });
    }

    private void Close(ClientOperation operation, Outcome outcome)
    {
        operation.IsOpen = false;
        operation.Outcome = outcome;
        if (outcome != Outcome.Unknown) operation.Return = cluster.Scheduler.Steps;
        if (operation.Request is not null) cluster.Statistics.Writes++;
        else cluster.Statistics.Reads++;
        _open.Remove(operation);
        _done.Add(operation);
    }
}
