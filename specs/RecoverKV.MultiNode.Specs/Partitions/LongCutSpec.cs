using Akka.Actor;
using Akka.Remote;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>A cut that swallows packets until both sides have given their connections up.</summary>
public sealed class LongCutSpec : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(3);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Nodes_whose_connections_ended_find_each_other_again()
    {
        var sequencer = await _cluster.SequencerAsync();
        var runs = _cluster.Nodes.Select(n => n.Run).ToArray();
        await using var load = Load.Start(_cluster);
        var ended = _cluster.Nodes.Select(ConnectionsEndedAsync).ToArray();
        await _cluster.IsolateAsync(sequencer);
        await Task.WhenAll(ended).WaitAsync(TestCluster.Patience);
        await load.ProceedAsync(100);

        await _cluster.HealAsync();
        await _cluster.WaitUntilAsync("all nodes are ALIVE", s => _cluster.Nodes.All(s.IsAlive));
        await load.StopAsync();
        await _cluster.AssertAllEqualAsync();
        Assert.Equal(runs, _cluster.Nodes.Select(n => n.Run));
    }

    private static Task ConnectionsEndedAsync(TestNode node)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watch = node.System.ActorOf(Props.Create(() => new Watch(ended)));
        node.System.EventStream.Subscribe(watch, typeof(DisassociatedEvent));
        return ended.Task;
    }

    private sealed class Watch : ReceiveActor
    {
        public Watch(TaskCompletionSource ended) => Receive<DisassociatedEvent>(e =>
        {
            if (e.RemoteAddress.System == Context.System.Name) ended.TrySetResult();
        });
    }
}
