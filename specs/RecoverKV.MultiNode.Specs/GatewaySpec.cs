using System.Diagnostics;
using Akka.Actor;
using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Clients that send what a gateway does not understand.</summary>
public sealed class GatewaySpec : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    private TestNode Node => _cluster.Nodes[0];

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(1);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task An_unknown_message_is_answered_and_the_gateway_goes_on()
    {
        var answer = await _cluster.Client.AskAsync<Unsupported>(Node, "ZZ", [1, 2, 3], TestCluster.Patience);
        Assert.Equal("ZZ", answer?.Manifest);
        Assert.NotNull(await _cluster.Client.StatusAsync(Node));
    }

    [Fact]
    public async Task What_is_no_message_ends_its_connection_alone()
    {
        // A batch that ends amid a field. What ends the connection is the node, and not the time that is waited.
        var watch = Stopwatch.StartNew();
        Assert.Null(
            await _cluster.Client.AskAsync<WriteReplies>(Node, "WB", [0x0A, 0x7F, 0x01], TimeSpan.FromMinutes(5)));
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(4));
        Assert.NotNull(await _cluster.Client.StatusAsync(Node));
        await TestSession.OpenAsync(_cluster);
    }

    [Theory]
    [InlineData("/user/gateway")]
    [InlineData(ReplicaActor.Path)]
    [InlineData(ReplicaActor.Path + "/replica")]
    public async Task What_messages_pass_through_shares_the_strand_of_the_connections(string path)
    {
        var system = _cluster.Nodes[0].System;
        var actor = (ActorRefWithCell)await system.ActorSelection(path).ResolveOne(TestCluster.Patience);
        var dispatcher = ((ActorCell)actor.Underlying).Dispatcher.Id;
        Assert.Equal("akka.actor.recoverkv-strand", dispatcher);
        Assert.Equal(dispatcher, system.Settings.Config.GetString("akka.remote.use-dispatcher"));
    }
}
