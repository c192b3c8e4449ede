using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

/// <summary>What a client gets from the network is not trusted, and does it no harm.</summary>
public sealed class HostileNodeSpec
{
    [Fact]
    public async Task Malformed_and_foreign_messages_are_dropped_and_the_connection_stays()
    {
        await using var cluster = new FakeCluster();
        cluster.Intercept = (node, _, reply) =>
        {
            reply(new ReadReplies([new ReadAnswer(7, ReadStatus.Done, []), new ReadAnswer(-1, ReadStatus.Busy, [])]));
            reply(new WriteReplies([new WriteAnswer(0, 0, WriteStatus.Done, 0, [])]));
            reply(new WriteReplies([new WriteAnswer(9, 9, WriteStatus.Busy, -1, [null])]));
            reply(new ClusterViewRequest(1));
            reply(new UnknownMessage("what"));
            node.Send([]);
            node.Send([0]);
            node.Send([200, 1, 2]);
            node.Send([2, (byte)'R', (byte)'R', 0x0a, 0xff, 0xff]);
            return false;
        };
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v");
        for (var i = 0; i < 3; i++) Assert.Equal("v", (await client.GetAsync("k")).Text);

        Assert.Equal(1, cluster.Nodes[0].Connections);
    }
}
