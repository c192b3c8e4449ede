using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Nodes that end without a word.</summary>
public sealed class CrashSpec
{
    [Fact]
    public async Task All_nodes_end_at_once_and_every_acknowledged_write_is_there_afterwards()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var load = Load.Start(cluster, writers: 32);
        for (var round = 0; round < 2; round++)
        {
            await load.ProceedAsync(300);
            await Task.WhenAll(cluster.Nodes.Select(n => n.CrashAsync()));
            await Task.WhenAll(cluster.Nodes.Select(cluster.StartAsync));
        }

        await load.ProceedAsync(300);
        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task Two_of_three_are_enough_to_start_again()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 100);
        await Task.WhenAll(cluster.Nodes.Select(n => n.CrashAsync()));
        foreach (var node in cluster.Nodes.Take(2)) await cluster.StartAsync(node);
        await cluster.WaitUntilHealedAsync();
        await Load.WriteAsync(cluster, "meanwhile", 100);
        await cluster.AssertAllEqualAsync();

        await cluster.StartAsync(cluster.Nodes[2]);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task Sequencer_after_sequencer_ends_under_load()
    {
        await using var cluster = await TestCluster.StartAsync(5);
        await using var load = Load.Start(cluster);
        for (var round = 0; round < 3; round++)
        {
            var sequencer = await cluster.SequencerAsync();
            await load.ProceedAsync(100);
            await sequencer.CrashAsync();
            await load.ProceedAsync(100);
            await cluster.StartAsync(sequencer);
            await cluster.WaitUntilAsync("all nodes are ALIVE", s => cluster.Nodes.All(s.IsAlive));
        }

        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }
}
