using System.Globalization;
using Akka.Actor;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Clients that come and go leave nothing behind in the nodes.</summary>
public sealed class DeparturesSpec : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    private TestNode Node => _cluster.Nodes[0];

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(1);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task What_a_node_keeps_for_a_client_ends_with_the_client()
    {
        var gone = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            await using var client = TestClient.Start();
            Assert.NotNull(await client.AskAsync<NodeStatus>(Node, new NodeStatusRequest(i), TestCluster.Patience));
            Assert.True(await IsKnownAsync(client.Port));
            gone.Add(client.Port);
        }

        var patience = new Deadline();
        foreach (var port in gone)
        {
            while (await IsKnownAsync(port))
            {
                Assert.False(patience.IsOver, "a node still keeps an actor for a client that is gone");
                await Task.Delay(50);
            }
        }

        // The client that stays is served as before.
        Assert.NotNull(await _cluster.Client.StatusAsync(Node));
    }

    [Fact]
    public async Task A_client_at_the_port_of_another_is_answered()
    {
        var port = Ports.Next();
        for (var i = 0; i < 5; i++)
        {
            await using var client = TestClient.Start(port: port);
            // As every client does, it asks again: for a moment the node may hold the port for that of the one before.
            var patience = new Deadline();
            while (await client.StatusAsync(Node) is null) Assert.False(patience.IsOver, "no answer");
        }
    }

    // Whether the node has an actor of Akka.Remote for this port of a client.
    private async Task<bool> IsKnownAsync(int port)
    {
        var all = string.Create(CultureInfo.InvariantCulture, $"/system/endpointManager/*{port}*");
        try
        {
            await Node.System.ActorSelection(all).ResolveOne(TestCluster.Patience);
            return true;
        }
        catch (ActorNotFoundException)
        {
            return false;
        }
    }
}
