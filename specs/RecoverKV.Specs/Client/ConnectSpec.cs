using System.Net;
using System.Net.Sockets;
using RecoverKV.Client;

namespace RecoverKV.Specs.Client;

public sealed class ConnectSpec
{
    private static readonly RecoverKvClientOptions Short = new() { ConnectTimeout = TimeSpan.FromSeconds(1) };

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData(":4053")]
    [InlineData("localhost:")]
    [InlineData("localhost:0")]
    [InlineData("localhost:65536")]
    [InlineData("localhost:-1")]
    [InlineData("localhost:x")]
    [InlineData("a b:4053")]
    [InlineData("a/b:4053")]
    public async Task A_bad_contact_point_is_named(string point)
    {
        var e = await Assert.ThrowsAsync<ArgumentException>(
            () => RecoverKvClient.ConnectAsync(["127.0.0.1:4053", point]));

        Assert.Contains($"'{point}' is no contact point", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_contact_point_and_bad_options_are_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => RecoverKvClient.ConnectAsync([]));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            RecoverKvClient.ConnectAsync(["127.0.0.1:4053"], new RecoverKvClientOptions { Deadline = TimeSpan.Zero }));
    }

    [Fact]
    public async Task Contact_points_that_do_not_answer_are_named()
    {
        var e = await Assert.ThrowsAsync<NotDoneException>(() =>
            RecoverKvClient.ConnectAsync(["127.0.0.1:1", "127.0.0.1:2"], Short));

        Assert.Equal("No node answered at 127.0.0.1:1, 127.0.0.1:2 within 1 s: Connection refused.", e.Message);
    }

    [Fact]
    public async Task A_contact_point_without_an_address_is_named()
    {
        var e = await Assert.ThrowsAsync<NotDoneException>(() =>
            RecoverKvClient.ConnectAsync(["no-such-host.invalid:1"], Short));

        Assert.Contains("no-such-host.invalid:1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_node_that_answers_is_enough_and_its_host_may_be_written_otherwise()
    {
        await using var cluster = new FakeCluster();
        await using var client = await RecoverKvClient.ConnectAsync(
            ["127.0.0.1:1", "no-such-host.invalid:1", $"localhost:{cluster.Nodes[0].Port}"]);

        Assert.True((await client.PutAsync("k", "v")).Applied);
    }

    [Fact]
    public async Task A_node_given_under_two_names_serves_under_its_own()
    {
        await using var cluster = new FakeCluster();
        var port = cluster.Nodes[0].Port;
        await using var client = await RecoverKvClient.ConnectAsync([$"localhost:{port}", $"127.0.0.1:{port}"]);

        for (var i = 0; i < 10; i++) Assert.True((await client.PutAsync("k", "v")).Applied);
        Assert.InRange(cluster.Nodes[0].Connections, 1, 2);
    }

    [Fact]
    public async Task What_is_no_node_is_named_with_what_it_did()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = other.AcceptSocketAsync();
        var point = $"127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";
        var search = RecoverKvClient.ConnectAsync([point], Short);
        using var socket = await taken;
        await socket.SendAsync("\u0003\0\0\0abc"u8.ToArray());

        var e = await Assert.ThrowsAsync<NotDoneException>(() => search);
        Assert.StartsWith(
            $"No node answered at {point} within 1 s: it is no node", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_search_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var search = RecoverKvClient.ConnectAsync(["127.0.0.1:1"], cancellationToken: cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => search);
    }
}
