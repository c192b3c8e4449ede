using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RecoverKV.Actors.Replica;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Client;

/// <summary>
/// What a client sees of nodes, over real connections, in front of one table in memory. It keeps sessions as the nodes
/// do, and lets a spec see every message and answer it otherwise.
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
        id, Epoch, Sequencer, [.. _nodes.Select(n => new NodeAddress(n.Id, "127.0.0.1", n.Port, true))],
        1024, 1024 * 1024, Store);

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

    public ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) node.Stop();
        return ValueTask.CompletedTask;
    }

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
            return new ReadAnswer(
                read.Id, ReadStatus.Done, [.. read.Keys.Select(k => _table.GetValueOrDefault(k.ToString()))]);
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
            var rest = ScanCursor.Rest(request)!.Value;
            var items = _table.Where(p => rest.Contains(p.Key)).OrderBy(p => p.Key)
                .Select(p => new ScanItem(p.Key, p.Value)).ToList();
            if (request.Reverse) items.Reverse();
            var page = items.Take(request.MaxItems).ToList();
            return new ScanReply(
                request.Id, ReadStatus.Done, page,
                page.Count == items.Count ? default : ScanCursor.Behind(page[^1].Key));
        }
    }
}

/// <summary>One node, as its clients see it.</summary>
internal sealed class FakeNode
{
    private readonly FakeCluster _cluster;
    private readonly Strand _strand = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<FrameLink> _links = [];

    internal FakeNode(FakeCluster cluster, string id)
    {
        _cluster = cluster;
        Id = id;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    internal string Id { get; }

    internal int Port { get; }

    /// <summary>How many connections it has taken.</summary>
    internal int Connections => _links.Count;

    /// <summary>Sends a frame to whoever is connected.</summary>
    internal void Send(byte[] frame)
    {
        foreach (var link in _links) link.Write(frame);
    }

    /// <summary>As if its process ended.</summary>
    internal void Stop()
    {
        _listener.Stop();
        foreach (var link in _links) link.Close();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = WelcomeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private async Task WelcomeAsync(Socket socket)
    {
        try
        {
            var stream = new NetworkStream(socket, ownsSocket: true);
            var incoming = new FrameReader(ClientLimits.FrameBytes);
            Assert.Equal(Role.Client, Knock.Decode((await Greeting.ReceiveAsync(stream, incoming, default))!)!.Role);
            await Greeting.SendAsync(stream, new Welcome(Knock.Version).Encode(), default);
            var link = new FrameLink(socket, stream, _strand, incoming);
            _links.Add(link);
            link.Start(new Connection(this, link));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client is gone already.
        }
    }

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

    private sealed class Connection(FakeNode node, FrameLink link) : ILinkListener
    {
        public void Received(byte[] frame)
        {
            var request = ClientCodec.Decode(frame);
            node._cluster.Log.Enqueue((node.Id, request));
            if (node._cluster.Intercept(node, request, Reply)) return;
            if (node.Answer(request) is { } answer) Reply(answer);
        }

        public void StillComing()
        {
        }

        public void Ended()
        {
        }

        private void Reply(IClientMessage answer) =>
            link.Write(ClientCodec.Head(answer), ClientCodec.Encode(answer).Memory);
    }
}
