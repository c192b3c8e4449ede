using System.Net;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ConnectSpecs
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
        var e = await Assert.ThrowsAsync<ArgumentException>(() => RecoverKvClient.ConnectAsync(["127.0.0.1:4053", point]));

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

        Assert.Equal("No node answered at 127.0.0.1:1, 127.0.0.1:2 within 1 s.", e.Message);
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
    public async Task A_node_given_under_two_names_is_used_under_its_own_only()
    {
        await using var cluster = new FakeCluster();
        var port = cluster.Nodes[0].Port;
        await using var client = await RecoverKvClient.ConnectAsync([$"localhost:{port}", $"127.0.0.1:{port}"]);

        Assert.True((await client.PutAsync("k", "v")).Applied);
        // Of two connections from one address the node would hear only one.
        Assert.Single(cluster.Nodes[0].Connected, address => address.Equals(cluster.Nodes[0].Writer));
    }

    [Fact]
    public void Names_that_lead_to_one_node_are_tried_in_turn()
    {
        static (ContactPoint Point, IPAddress[] Addresses) Point(string host, int port, params string[] addresses) =>
            (new ContactPoint(host, port), [.. addresses.Select(IPAddress.Parse)]);
        var spellings = ContactPoint.Spellings(
        [
            Point("localhost", 1, "127.0.0.1"), Point("node", 1, "10.0.0.1", "10.0.0.2"), Point("127.0.0.1", 1, "127.0.0.1"),
            Point("localhost", 2, "127.0.0.1"), Point("nowhere", 1), Point("nobody", 1),
        ]);
        string[] expected =
            ["localhost:1 127.0.0.1:1", "node:1 10.0.0.1:1 10.0.0.2:1", "localhost:2 127.0.0.1:2", "nowhere:1", "nobody:1"];
        Assert.Equal(expected, spellings.Select(s => string.Join<ContactPoint>(' ', s)));
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
