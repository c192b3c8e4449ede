using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
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
            await cluster.WaitUntilAsync(
                "the others are ALIVE", s => cluster.Nodes.All(n => n == leaving || s.IsAlive(n)));
            await load.ProceedAsync(100);
            await cluster.StartAsync(leaving);
            await cluster.WaitUntilAsync("the node is ALIVE again", s => s.IsAlive(leaving));
        }

        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_many_writes_to_few_keys_a_node_that_leaves_writes_a_checkpoint_first(bool sequencer)
    {
        const int Writes = 600, Few = 100;
        await using var cluster = await TestCluster.StartAsync(3, $"recoverkv.checkpoint.writes = {10 * Few}");
        var session = await TestSession.OpenAsync(cluster);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Writes), new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (_, _) => await session.WriteAsync(new WriteOperation(OperationKind.Delete, "absent", default)));
        await cluster.AssertAllEqualAsync();
        var leading = await cluster.SequencerAsync();
        var leaving = sequencer ? leading : cluster.Nodes.First(n => n != leading);
        await leaving.LeaveAsync();

        // What is left for the next start would not be worth one.
        var head = StoreReader.Load(Path.Combine(leaving.Data, StoreFile.Name), new KeyValueState())!;
        Assert.InRange(head.Base.Applied.Value, Writes - Few, long.MaxValue);
        await cluster.StartAsync(leaving);
        await cluster.AssertAllEqualAsync();
    }
}
