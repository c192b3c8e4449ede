using Grpc.Core;
using RecoverKV.Client.Contracts;
using RecoverKV.Host;
using RecoverKV.Host.Grpc;
using RecoverKV.Specs.Client;

namespace RecoverKV.Specs.Host.Original;

/// <summary>The endpoint before nodes that answer as a spec wants.</summary>
public sealed class CodesSpec : IAsyncLifetime
{
    private readonly FakeCluster _cluster = new(3);
    private readonly List<IAsyncDisposable> _endpoints = [];
    private readonly List<string> _stopping = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var endpoint in _endpoints) await endpoint.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Reads_and_writes_have_the_codes_of_the_original()
    {
        using var client = new OriginalClient(await StartAsync());
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await client.GetAsync("a"));
        Assert.Equal(Answer.Ok(-1), await client.SetAsync("a", "1"));
        Assert.Equal(Answer.Ok(0), await client.InitAsync("s:1", "s:2"));
        Assert.Equal(Answer.Ok(1), await client.GetAsync("a"));
        Assert.Equal(Answer.Ok(1, "é1"), await client.SetAsync("a", "é1"));
        Assert.Equal(Answer.Ok(0, "é1"), await client.SetAsync("a", "2"));
        Assert.Equal(Answer.Ok(0, "2"), await client.SetAsync("a", ""));
        Assert.Equal(Answer.Ok(0), await client.GetAsync("a"));
        Assert.Equal(Answer.Ok(0), await client.FreeAsync());
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await client.GetAsync("a"));
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await client.FreeAsync());
    }

    [Fact]
    public async Task What_breaks_a_limit_is_refused()
    {
        using var client = new OriginalClient(await StartAsync());
        await client.InitAsync("s:1");
        Assert.Equal(Answer.Error(-1, StatusCode.InvalidArgument), await client.GetAsync(""));
        Assert.Equal(Answer.Error(-2, StatusCode.InvalidArgument), await client.SetAsync("", "v"));
        Assert.Equal(Answer.Error(-2, StatusCode.InvalidArgument), await client.SetAsync(new string('k', 1025), "v"));
        Assert.Equal(
            Answer.Error(-2, StatusCode.InvalidArgument), await client.SetAsync("k", new string('v', 1024 * 1024 + 1)));
        Assert.Equal(
            Answer.Ok(1, new string('v', 1024 * 1024)), await client.SetAsync("k", new string('v', 1024 * 1024)));
        Assert.Equal(
            Answer.Error(0, StatusCode.ResourceExhausted),
            await client.SetAsync("k", new string('v', 34 * 1024 * 1024)));
        Assert.Equal(Answer.Error(-1, StatusCode.InvalidArgument), await client.GetAsync("\0grpc-client/client"));
        Assert.Equal(Answer.Error(-2, StatusCode.InvalidArgument), await client.SetAsync("\0grpc-client/x", "node1"));
    }

    [Fact]
    public async Task A_client_names_servers_that_are_known_and_alive()
    {
        var port = await StartAsync();
        using var client = new OriginalClient(port);
        Assert.Equal(Answer.Ok(-1), await client.InitAsync());
        Assert.Equal(Answer.Ok(-1), await client.InitAsync(",", " "));
        Assert.Equal(Answer.Ok(-1), await client.InitAsync("s:1", "s:9"));
        var alone = false;
        _cluster.Intercept = (node, message, reply) =>
        {
            if (node.Id != "n2" || message is not NodeStatusRequest request) return false;
            reply(new NodeStatus(
                request.Id, node.Id, "127.0.0.1", node.Port, 1, NodeMode.Zombie, 1, false, null, 0, 0, 0, 0,
                IsAlone: alone));
            return true;
        };
        Assert.Equal(Answer.Ok(-1), await client.InitAsync("s:1", "s:2"));
        // Where the original's choice is made, one that is alone serves.
        alone = true;
        using (var other = new OriginalClient(port, "other"))
            Assert.Equal(Answer.Ok(0), await other.InitAsync("s:1", "s:2"));
        Assert.Equal(Answer.Ok(0), await client.InitAsync("s:1", "s:3", ""));
        Assert.Equal(Answer.Ok(-1), await client.InitAsync("s:1"));
        using var nameless = new OriginalClient(port, "");
        Assert.Equal(Answer.Error(-1, StatusCode.InvalidArgument), await nameless.InitAsync("s:1"));
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await nameless.FreeAsync());
    }

    [Fact]
    public async Task Every_endpoint_knows_a_client_and_frees_it()
    {
        using var here = new OriginalClient(await StartAsync());
        using var there = new OriginalClient(await StartAsync());
        Assert.Equal(Answer.Ok(0), await here.InitAsync("s:1"));
        Assert.Equal(Answer.Ok(1, "1"), await there.SetAsync("a", "1"));
        Assert.Equal(Answer.Ok(-1), await there.InitAsync("s:1"));
        Assert.Equal(Answer.Ok(0), await there.FreeAsync());
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await there.GetAsync("a"));
    }

    [Fact]
    public async Task Servers_that_were_not_named_are_left_alone()
    {
        var port = await StartAsync();
        using var client = new OriginalClient(port);
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await client.StopAsync("s:1", 0));
        Assert.Equal(Answer.Error(-1, StatusCode.NotFound), await client.PartitionAsync("s:1", ""));
        await client.InitAsync("s:1", "s:2");
        Assert.Equal(Answer.Error(-1, StatusCode.PermissionDenied), await client.StopAsync("s:3", 0));
        Assert.Equal(Answer.Error(-1, StatusCode.PermissionDenied), await client.StopAsync("s:9", 0));
        Assert.Equal(Answer.Error(-1, StatusCode.PermissionDenied), await client.PartitionAsync("s:3", ""));
        Assert.Equal(Answer.Error(-1, StatusCode.PermissionDenied), await client.PartitionAsync("s:1", "s:3,"));
        Assert.Equal(Answer.Error(-1, StatusCode.InvalidArgument), await client.StopAsync("s:1", 2));
        Assert.DoesNotContain(_cluster.Log, l => l.Message is StopNode or PartitionNode);
        Assert.Empty(_stopping);
    }

    [Fact]
    public async Task A_stop_that_the_node_refuses_is_told()
    {
        using var client = new OriginalClient(await StartAsync());
        await client.InitAsync("s:1");
        Assert.Equal(Answer.Error(-1, StatusCode.FailedPrecondition), await client.StopAsync("s:1", 1));
        Assert.Equal(Answer.Error(-1, StatusCode.FailedPrecondition), await client.StopAsync("s:1", 0));
        Assert.Equal(["n1", "n1"], _stopping);
    }

    [Fact]
    public async Task A_stop_in_good_order_is_answered_when_the_server_has_left()
    {
        using var client = new OriginalClient(await StartAsync());
        await client.InitAsync("s:2");
        var asked = 0;
        _cluster.Intercept = (node, message, reply) =>
        {
            if (message is StopNode stop) reply(new AdminReply(stop.Id, Done: true));
            else if (node.Id != "n2" || message is not NodeStatusRequest request) return false;
            else reply(new NodeStatus(
                request.Id, "n2", "127.0.0.1", node.Port, asked++ < 4 ? 1 : 2,
                NodeMode.Alive, 1, false, null, 0, 0, 0, 0));
            return true;
        };
        Assert.Equal(Answer.Ok(0), await client.StopAsync("s:2", 1));
        Assert.True(asked > 4);
        var order = Assert.Single(_cluster.Log, l => l.Message is StopNode);
        Assert.Equal(("n2", "the secret"), (order.Node, ((StopNode)order.Message).Secret));
    }

    [Fact]
    public async Task A_partition_limits_healing_and_one_that_reaches_all_is_lifted()
    {
        using var client = new OriginalClient(await StartAsync());
        await client.InitAsync("s:1", "s:2", "s:3");
        Assert.Equal(Answer.Ok(0), await client.PartitionAsync("s:1", ""));
        Assert.Equal(Answer.Ok(0), await client.PartitionAsync("s:1", "s:1,s:2,"));
        Assert.Equal(Answer.Ok(0), await client.PartitionAsync("s:1", "s:2,s:3,"));
        Assert.Equal(
            [("n1", true, ""), ("n1", true, "n2"), ("n1", false, "")],
            _cluster.Log.Where(l => l.Message is PartitionNode)
                .Select(l => (l.Node, Order: (PartitionNode)l.Message))
                .Select(l => (l.Node, l.Order.Cut && l.Order.HealingOnly, string.Join(',', l.Order.Reachable))));
    }

    [Fact]
    public async Task Without_an_answer_a_call_ends_by_its_deadline()
    {
        using var client = new OriginalClient(await StartAsync()) { Patience = TimeSpan.FromSeconds(0.5) };
        while (await client.InitAsync("s:1") is { Status: StatusCode.DeadlineExceeded }) await client.FreeAsync();
        _cluster.Intercept = (_, _, _) => true;
        Assert.Equal(StatusCode.DeadlineExceeded, (await client.GetAsync("a")).Status);
        Assert.Equal(StatusCode.DeadlineExceeded, (await client.SetAsync("a", "1")).Status);
    }

    [Fact]
    public async Task A_node_that_reaches_no_peer_does_not_make_a_client_unknown()
    {
        using var here = new OriginalClient(await StartAsync());
        using var there = new OriginalClient(await StartAsync());
        Assert.Equal(Answer.Ok(0), await here.InitAsync("s:1"));
        _cluster.Intercept = (_, message, reply) =>
        {
            if (message is not ReadBatch { Consistency: ReadConsistency.Available } batch) return false;
            reply(new ReadReplies([.. batch.Reads.Select(r => new ReadAnswer(r.Id, ReadStatus.Done, [null], 1000))]));
            return true;
        };
        Assert.Equal(Answer.Ok(1), await there.GetAsync("a"));
        Assert.Equal(Answer.Ok(1, "1"), await there.SetAsync("a", "1"));
    }

    [Fact]
    public async Task An_endpoint_ends_although_calls_are_open()
    {
        using var client = new OriginalClient(await StartAsync());
        Assert.Equal(Answer.Ok(0), await client.InitAsync("s:1"));
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster.Intercept = (_, message, _) => message is ReadBatch && (asked.TrySetResult() || true);
        var call = client.GetAsync("a");
        await asked.Task;
        await _endpoints[0].DisposeAsync();
        Assert.NotEqual(StatusCode.OK, (await call).Status);
    }

    [Fact]
    public async Task A_port_in_use_is_one_clear_line()
    {
        var port = await StartAsync();
        var failure = await Assert.ThrowsAsync<CommandFailedException>(() => StartAsync(port));
        Assert.Equal(
            $"localhost:{port} is in use: stop what listens there, or choose another port for gRPC with --some-option",
            failure.Message);
    }

    private async Task<int> StartAsync(int port = 0)
    {
        port = port == 0 ? FreePort() : port;
        _endpoints.Add(await GrpcEndpoint.StartAsync(new GrpcOptions
        {
            Host = "localhost",
            Port = port,
            PortSetting = "--some-option",
            LongestWrite = 1025 * 1024,
            Contact = _cluster.ContactPoints,
            Servers = new ServerNames([("s:1", "n1"), ("s:2", "n2"), ("s:3", "n3")]),
            ChaosSecret = "the secret",
            Stopping = _stopping.Add,
            Notice = static text => Assert.Fail(text),
        }));
        return port;
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
