using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R6: a node that was away asks its peers for exactly what it missed.</summary>
public sealed class RejoinSpec
{
    // Slow machines must not ask twice: the counts below are exact.
    private const string PatientFetches = "recoverkv.fetch-timeout = 20s";

    [Theory]
    // The peers have what is missing in memory.
    [InlineData("")]
    // They must read it from their journals.
    [InlineData("recoverkv.log-memory = 0B")]
    public async Task A_node_that_was_down_asks_for_the_missing_uids_only(string settings)
    {
        await using var cluster = await TestCluster.StartAsync(3, $"{PatientFetches}\n{settings}");
        await Load.WriteAsync(cluster, "before", 300);
        var before = (await cluster.WaitUntilHealedAsync()).Values.First().Uid;
        var sequencer = await cluster.SequencerAsync();
        var down = cluster.Nodes.First(n => n != sequencer);
        await down.CrashAsync();
        await Load.WriteAsync(cluster, "meanwhile", 3000);
        var after = (await cluster.StatusesAsync())[sequencer]!.CommittedUid;
        Assert.True(after >= before + 3000);

        await cluster.StartAsync(down);
        await cluster.AssertAllEqualAsync();
        Assert.Equal(after - before, await down.FetchedUidsAsync());
        // Nobody else had a gap.
        foreach (var node in cluster.Nodes.Where(n => n != down)) Assert.Equal(0, await node.FetchedUidsAsync());
    }

    [Fact]
    public async Task A_node_that_was_cut_off_asks_for_the_missing_uids_only()
    {
        await using var cluster = await TestCluster.StartAsync(3, PatientFetches);
        await Load.WriteAsync(cluster, "before", 100);
        var before = (await cluster.WaitUntilHealedAsync()).Values.First().Uid;
        var sequencer = await cluster.SequencerAsync();
        var away = cluster.Nodes.First(n => n != sequencer);
        await cluster.IsolateAsync(away);
        await cluster.WaitUntilAsync("the node has no lease", s => !s.IsAlive(away));
        await Load.WriteAsync(cluster, "meanwhile", 1000);
        var after = (await cluster.StatusesAsync())[sequencer]!.CommittedUid;

        await cluster.HealAsync();
        await cluster.AssertAllEqualAsync();
        // The sequencer itself re-sends what was under way when the link was cut.
        Assert.InRange(await away.FetchedUidsAsync(), 1, after - before);
    }

    [Fact]
    public async Task A_node_returns_under_load()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var load = Load.Start(cluster);
        var sequencer = await cluster.SequencerAsync();
        foreach (var node in cluster.Nodes.Where(n => n != sequencer))
        {
            await node.CrashAsync();
            await load.ProceedAsync(200);
            await cluster.StartAsync(node);
            await cluster.WaitUntilAsync("the node is ALIVE again", s => s.IsAlive(node));
        }

        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }
}
