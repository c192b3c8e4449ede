using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class AdministrationSpec
{
    [Fact]
    public async Task Status_has_every_node_and_the_silent_ones_are_dead()
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync();
        cluster.Nodes[1].Stop();

        var status = await client.GetStatusAsync();

        Assert.Equal([("n1", NodeMode.Alive), ("n2", NodeMode.Dead)], status.Nodes.Select(n => (n.Node, n.Mode)));
        Assert.Equal(cluster.Nodes[1].Port, status.Nodes[1].Port);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refusal_comes_with_the_nodes_words(bool clean)
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();

        var e = await Assert.ThrowsAsync<NotDoneException>(() => client.StopNodeAsync("n1", clean));

        Assert.Contains("recoverkv.chaos is off.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_ends_at_once_is_not_waited_for()
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync();
        var stopped = false;
        cluster.Intercept = (node, message, _) =>
        {
            stopped |= message is StopNode { Clean: false };
            return stopped && node.Id == "n2";
        };

        await client.StopNodeAsync("n2", clean: false);

        Assert.Single(cluster.Log, l => l.Message is StopNode);
    }

    [Fact]
    public async Task A_node_that_runs_anew_has_ended()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        var stopped = false;
        cluster.Intercept = (node, message, reply) =>
        {
            if (message is StopNode) return stopped = true;
            if (!stopped || message is not NodeStatusRequest request) return false;
            reply(new NodeStatus(
                request.Id, node.Id, "127.0.0.1", node.Port, 2, NodeMode.Zombie, 1, false, null, 0, 0, 0, 0));
            return true;
        };

        await client.StopNodeAsync("n1", clean: false);
    }

    [Fact]
    public async Task Partitions_are_set_and_lifted()
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync();
        await client.PartitionAsync("n1", ["n2"], healingOnly: true);
        await client.PartitionAsync("n1", []);
        await client.PartitionAsync("n1", null);

        var orders = cluster.Log.Select(l => l.Message).OfType<PartitionNode>().ToList();
        Assert.Equal(
            [(true, 1, true), (true, 0, false), (false, 0, false)],
            orders.Select(o => (o.Cut, o.Reachable.Count, o.HealingOnly)));
    }

    [Fact]
    public async Task A_node_of_another_version_that_does_not_know_a_request_says_so()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not PartitionNode) return false;
            reply(new Unsupported("AP"));
            return true;
        };

        var e = await Assert.ThrowsAsync<NotDoneException>(() => client.PartitionAsync("n1", null));

        Assert.Contains("does not know this request", e.Message, StringComparison.Ordinal);
    }
}
