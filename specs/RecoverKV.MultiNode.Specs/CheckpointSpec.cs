using RecoverKV.Actors;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R10: nodes begin with a checkpoint and replay the end of their journal.</summary>
public sealed class CheckpointSpec
{
    private static async Task<AdminReply> CheckpointAsync(TestCluster cluster, TestNode node)
    {
        var reply = await cluster.Client.AskAsync<AdminReply>(
            node, new CheckpointNode(cluster.Client.NextId()), TestCluster.Patience);
        Assert.True(reply is { Done: true }, reply?.Text ?? "no answer");
        return reply!;
    }

    // Its memory of the log is empty, so that all that is in the checkpoint is not replayed.
    private static Task<TestCluster> StartAsync() => TestCluster.StartAsync(3, "recoverkv.log-memory = 0B");

    [Fact]
    public async Task All_nodes_come_back_from_their_checkpoints_with_all_that_was_written()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 2000);
        await cluster.AssertAllEqualAsync();
        foreach (var node in cluster.Nodes)
            Assert.Contains("keys at uid", (await CheckpointAsync(cluster, node)).Text, StringComparison.Ordinal);
        await Load.WriteAsync(cluster, "after", 300);
        foreach (var node in cluster.Nodes) await node.CrashAsync();

        // What the checkpoints stand for is not read: each node comes up without it.
        foreach (var node in cluster.Nodes) Journals.Blank(Path.Combine(node.Data, JournalFile.Name), upTo: 5);
        foreach (var node in cluster.Nodes) await cluster.StartAsync(node);
        await cluster.AssertAllEqualAsync();
        await Load.WriteAsync(cluster, "again", 300);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_node_with_a_checkpoint_serves_gaps_from_the_journal_before_it()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 1500);
        var sequencer = await cluster.SequencerAsync();
        var down = cluster.Nodes.First(n => n != sequencer);
        await down.CrashAsync();
        Directory.Delete(down.Data, recursive: true);
        foreach (var node in cluster.Nodes.Where(n => n.IsRunning).ToArray())
        {
            await CheckpointAsync(cluster, node);
            await node.CrashAsync();
            await cluster.StartAsync(node);
        }

        await cluster.StartAsync(down);
        await cluster.AssertAllEqualAsync();
        Assert.True(await down.FetchedUidsAsync() >= 1500);
    }

    [Fact]
    public async Task A_checkpoint_that_is_damaged_is_set_aside_and_the_journal_replayed()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 500);
        await cluster.AssertAllEqualAsync();
        var node = cluster.Nodes[0];
        await CheckpointAsync(cluster, node);
        await node.CrashAsync();
        var store = Path.Combine(node.Data, StoreFile.Name);
        using (var file = File.OpenWrite(store))
        {
            file.Position = 8192;
            file.Write(new byte[512]);
        }

        await cluster.StartAsync(node);
        await cluster.AssertAllEqualAsync();
        Assert.True(File.Exists(store + StoreSnapshots.Damaged));
        await CheckpointAsync(cluster, node);
        await node.CrashAsync();
        await cluster.StartAsync(node);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_checkpoint_of_another_replica_is_set_aside()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 200);
        await cluster.AssertAllEqualAsync();
        var (node, other) = (cluster.Nodes[0], cluster.Nodes[1]);
        await CheckpointAsync(cluster, other);
        await node.CrashAsync();
        await other.CrashAsync();
        var store = Path.Combine(node.Data, StoreFile.Name);
        File.Copy(Path.Combine(other.Data, StoreFile.Name), store);
        await cluster.StartAsync(node);
        await cluster.StartAsync(other);
        await cluster.AssertAllEqualAsync();
        Assert.True(File.Exists(store + StoreSnapshots.Damaged));
    }

    [Fact]
    public async Task A_journal_that_lost_what_the_checkpoint_has_seen_is_not_trusted()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 200);
        await cluster.AssertAllEqualAsync();
        var sequencer = await cluster.SequencerAsync();
        var node = cluster.Nodes.First(n => n != sequencer);
        await CheckpointAsync(cluster, node);
        await node.CrashAsync();
        var head = StoreReader.Load(Path.Combine(node.Data, StoreFile.Name), new KeyValueState())!;
        Journals.Cut(Path.Combine(node.Data, JournalFile.Name), from: head.Base.Fact);
        // Nothing but the checkpoint tells of it.
        File.Delete(Path.Combine(node.Data, JournalCount.Name));

        await cluster.StartAsync(node);
        Assert.Equal(NodeExit.Restart, await node.Run!.Completion.WaitAsync(TestCluster.Patience));
        Assert.Single(Directory.GetFiles(Path.Combine(node.Data, "retired-1"), StoreFile.Name));
        await node.CrashAsync();
        await cluster.StartAsync(node);
        await cluster.AssertAllEqualAsync();
    }
}
