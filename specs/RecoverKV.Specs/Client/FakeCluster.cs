using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote;
using RecoverKV.Actors.Replica;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Client;

/// <summary>
/// Gateways in actor systems of their own, over real Akka.Remote, in front of one table in memory. It keeps sessions as
/// the nodes do, and lets a spec see every message and answer it otherwise.
/// </summary>
internal sealed class FakeCluster : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Version> _table = [];
    private readonly Dictionary<(long Session, long Number), WriteAnswer> _answers = [];
    private readonly HashSet<long> _sessions = [];
    private readonly List<FakeNode> _nodes = [];
    private long _uid;

    internal FakeCluster(int nodes = 1)
    {
        for (var i = 0; i < nodes; i++) _nodes.Add(new FakeNode(this, $"n{i + 1}"));
        Sequencer = "n1";
    }

    internal IReadOnlyList<FakeNode> Nodes => _nodes;

    internal string[] ContactPoints => [.. _nodes.Select(n => $"127.0.0.1:{n.Port}")];

    internal string? Sequencer { get; set; }

    internal long Epoch { get; set; } = 1;

    /// <summary>R12: the store of all nodes.</summary>
    internal Guid Store { get; set; }

    /// <summary>Sees each message first; true if it has dealt with it.</summary>
    internal Func<FakeNode, IClientMessage, Action<IClientMessage>, bool> Intercept { get; set; } = (_, _, _) => false;

    /// <summary>Every message that came, with the node that got it.</summary>
    internal ConcurrentQueue<(string Node, IClientMessage Message)> Log { get; } = new();

    internal IEnumerable<(string Node, WriteRequest Request)> Requests => Log
        .Where(l => l.Message is WriteBatch).SelectMany(l => ((WriteBatch)l.Message).Requests.Select(r => (l.Node, r)));

    internal ClusterView View(long id = 0) => new(
        id, Epoch, Sequencer, [.. _nodes.Select(n => new NodeAddress(n.Id, "127.0.0.1", n.Port, true))], 1024, 1024 * 1024, Store);

    internal Task<RecoverKvClient> ConnectAsync(double deadlineSeconds = 10) => RecoverKvClient.ConnectAsync(
        ContactPoints, new RecoverKvClientOptions { Deadline = TimeSpan.FromSeconds(deadlineSeconds) });

    /// <summary>Waits for a state that is sure to come.</summary>
    internal static async Task Until(Func<bool> state)
    {
        var watch = Stopwatch.StartNew();
        while (!state())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), "The awaited state did not come.");
            await Task.Delay(5);
        }
    }

    internal void ForgetSessions()
    {
        lock (_gate) _sessions.Clear();
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_nodes.Select(n => n.System.Terminate()));

    internal WriteAnswer Write(WriteRequest request)
    {
        lock (_gate)
        {
            if (request.Session == 0)
            {
                _sessions.Add(++_uid);
                return new WriteAnswer(0, request.Number, WriteStatus.Done, _uid, []);
            }

            if (_answers.TryGetValue((request.Session, request.Number), out var known)) return known;
            if (!_sessions.Contains(request.Session))
                return new WriteAnswer(request.Session, request.Number, WriteStatus.SessionUnknown, 0, []);
            return _answers[(request.Session, request.Number)] = Apply(request);
        }
    }

    internal ReadAnswer Read(Read read)
    {
        lock (_gate)
            return new ReadAnswer(read.Id, ReadStatus.Done, [.. read.Keys.Select(k => _table.GetValueOrDefault(k.ToString()))]);
    }

    private WriteAnswer Apply(WriteRequest request)
    {
        _uid++;
        var previous = request.Operations.Select(o => _table.GetValueOrDefault(o.Key.ToString())).ToList();
        var holds = request.Operations
            .Zip(previous, (o, p) => o.ExpectedUid is not { } uid || uid == (p?.Uid ?? 0)).All(h => h);
        foreach (var operation in holds ? request.Operations : [])
        {
            if (operation.Kind == OperationKind.Put)
                _table[operation.Key.ToString()] = new Version(operation.Value.ToArray(), _uid);
            else if (operation.Kind == OperationKind.Delete)
                _table.Remove(operation.Key.ToString());
        }

        return new WriteAnswer(
            request.Session, request.Number, holds ? WriteStatus.Done : WriteStatus.ConditionFailed, _uid,
            request.ReturnPrevious ? previous : []);
    }

    internal ScanReply Scan(ScanRequest request)
    {
        lock (_gate)
        {
            var from = request.Cursor.IsEmpty ? 0 : BitConverter.ToInt32(request.Cursor.Span);
            var items = _table.Skip(from).Take(request.MaxItems).Select(p => new ScanItem(p.Key, p.Value)).ToList();
            var next = from + items.Count == _table.Count ? [] : BitConverter.GetBytes(from + items.Count);
            return new ScanReply(request.Id, ReadStatus.Done, items, next);
        }
    }
}

/// <summary>One gateway.</summary>
internal sealed class FakeNode
{
    private readonly FakeCluster _cluster;

    internal FakeNode(FakeCluster cluster, string id)
    {
        _cluster = cluster;
        Id = id;
        System = ActorSystem.Create("recoverkv", ConfigurationFactory
            .ParseString("akka.remote.dot-netty.tcp.hostname = 127.0.0.1")
            .WithFallback(ConfigurationFactory.FromResource<RecoverKvClient>("RecoverKV.Client.Connection.client.conf")));
        Port = ((ExtendedActorSystem)System).Provider.DefaultAddress.Port!.Value;
        System.ActorOf(Props.Create(() => new Gateway(this)), "gateway");
        System.EventStream.Subscribe(System.ActorOf(Props.Create(() => new Connections(this))), typeof(AssociatedEvent));
    }

    internal ActorSystem System { get; }

    internal string Id { get; }

    internal int Port { get; }

    /// <summary>The addresses that have connected, once for each connection.</summary>
    internal ConcurrentQueue<Address> Connected { get; } = new();

    /// <summary>Where the last write came from.</summary>
    internal Address? Writer { get; private set; }

    private IClientMessage? Answer(IClientMessage message) => message switch
    {
        ClusterViewRequest request => _cluster.View(request.Id),
        WriteBatch or ReadBatch or ScanRequest
            when OtherStore.Refusal(message, _cluster.Store, () => _cluster.View()) is { } refusal => refusal,
        WriteBatch batch when _cluster.Sequencer != Id => new WriteReplies(
            [.. batch.Requests.Select(r => new WriteAnswer(r.Session, r.Number, WriteStatus.NotSequencer, 0, []))],
            _cluster.View()),
        WriteBatch batch => new WriteReplies([.. batch.Requests.Select(_cluster.Write)]),
        ReadBatch batch => new ReadReplies([.. batch.Reads.Select(_cluster.Read)]),
        ScanRequest request => _cluster.Scan(request),
        NodeStatusRequest request => new NodeStatus(
            request.Id, Id, "127.0.0.1", Port, 1, NodeMode.Alive, 1, Id == "n1", "n1", 5, 5, 0, 1),
        StopNode request => new AdminReply(request.Id, false, "recoverkv.chaos is off."),
        PartitionNode request => new AdminReply(request.Id, true),
        UnknownMessage unknown => new Unsupported(unknown.Manifest),
        _ => null,
    };

    private sealed class Connections(FakeNode node) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is AssociatedEvent { IsInbound: true } connected) node.Connected.Enqueue(connected.RemoteAddress);
        }
    }

    private sealed class Gateway(FakeNode node) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is not IClientMessage request) return;
            node._cluster.Log.Enqueue((node.Id, request));
            if (request is WriteBatch) node.Writer = Sender.Path.Address;
            var (sender, self) = (Sender, Self);
            if (node._cluster.Intercept(node, request, reply => sender.Tell(reply, self))) return;
            if (node.Answer(request) is { } answer) Sender.Tell(answer, Self);
        }
    }
}
