using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R8: nodes that leave in good order, under load.</summary>
public sealed class LeaveSpec
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_write_fails_when_a_node_leaves_and_returns(bool sequencer)
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var load = Load.Start(cluster);
        for (var round = 0; round < 2; round++)
        {
            await load.ProceedAsync(100);
            var leading = await cluster.SequencerAsync();
            var leaving = sequencer ? leading : cluster.Nodes.First(n => n != leading);
            await leaving.LeaveAsync();
            await cluster.WaitUntilAsync("the others are ALIVE", s => cluster.Nodes.All(n => n == leaving || s.IsAlive(n)));
            await load.ProceedAsync(100);
            await cluster.StartAsync(leaving);
            await cluster.WaitUntilAsync("the node is ALIVE again", s => s.IsAlive(leaving));
        }

        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }
}
