using RecoverKV.Actors;
using RecoverKV.Actors.Storage;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R11: a node whose disk gives back other bytes than were written sets its folder aside, and comes back by
/// itself.</summary>
public sealed class DamagedFolderSpec
{
    private static async Task<(TestCluster Cluster, TestNode Node)> StartAsync(string settings = "")
    {
        var cluster = await TestCluster.StartAsync(3, settings);
        await Load.WriteAsync(cluster, "before", 500);
        var sequencer = await cluster.SequencerAsync();
        return (cluster, cluster.Nodes.First(n => n != sequencer));
    }

    private static void Noise(string path, long offset, int length)
    {
        var noise = new byte[length];
        new Random(5).NextBytes(noise);
        using var file = File.OpenWrite(path);
        file.Position = offset;
        file.Write(noise);
    }

    /// <summary>What was written meanwhile is there, too; and the node counts as any other.</summary>
    private static async Task AssertIsBackAsync(TestCluster cluster, TestNode node, int times = 1)
    {
        await cluster.AssertAllEqualAsync();
        var aside = Directory.GetDirectories(node.Data, "damaged-*");
        Assert.Equal(times, aside.Length);
        Assert.All(aside, folder => Assert.True(File.Exists(Path.Combine(folder, "identity"))));
        await cluster.Nodes.First(n => n != node).CrashAsync();
        await Load.WriteAsync(cluster, "after", 100);
        await cluster.AssertAllEqualAsync();
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("missing")]
    [InlineData("truncated")]
    public async Task A_journal_that_is_damaged_is_found_at_the_start(string how)
    {
        var (cluster, node) = await StartAsync();
        await using var _ = cluster;
        await node.CrashAsync();
        var journal = Path.Combine(node.Data, JournalFile.Name);
        foreach (var log in Directory.GetFiles(node.Data, JournalFile.Name + "-*")) File.Delete(log);
        if (how == "noise") Noise(journal, 4096, 2000);
        else if (how == "missing") File.Delete(journal);
        else
            using (var file = File.OpenWrite(journal)) file.SetLength(file.Length / 2);

        await cluster.StartAsync(node);
        await AssertIsBackAsync(cluster, node);
    }

    [Fact]
    public async Task An_event_that_is_damaged_is_found_by_the_replay()
    {
        var (cluster, node) = await StartAsync();
        await using var _ = cluster;
        await node.CrashAsync();
        Journals.Blank(Path.Combine(node.Data, JournalFile.Name), upTo: 5);
        await node.StartAsync();
        Assert.Equal(NodeExit.Restart, await node.Run!.Completion.WaitAsync(TestCluster.Patience));
        await node.CrashAsync();
        await cluster.StartAsync(node);
        await AssertIsBackAsync(cluster, node);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_checkpoint_without_which_the_journal_is_of_no_use_is_found_by_the_replay(bool damaged)
    {
        var (cluster, node) = await StartAsync(TransferSpec.Forgetful);
        await using var _ = cluster;
        await TransferSpec.ForgetAsync(cluster, node);
        await node.CrashAsync();
        var store = Path.Combine(node.Data, StoreFile.Name);
        if (damaged) Noise(store, 8192, 512);
        else File.Delete(store);
        await node.StartAsync();
        Assert.Equal(NodeExit.Restart, await node.Run!.Completion.WaitAsync(TestCluster.Patience));
        await node.CrashAsync();
        await cluster.StartAsync(node);
        await AssertIsBackAsync(cluster, node);
    }

    [Fact]
    public async Task A_disk_that_does_so_again_and_again_is_not_trusted_any_more()
    {
        var (cluster, node) = await StartAsync();
        await using var _ = cluster;
        var journal = Path.Combine(node.Data, JournalFile.Name);
        for (var time = 1; time <= 3; time++)
        {
            await node.CrashAsync();
            Noise(journal, 0, 100);
            await cluster.StartAsync(node);
            await cluster.AssertAllEqualAsync();
        }

        await node.CrashAsync();
        Noise(journal, 0, 100);
        var failure = await Assert.ThrowsAnyAsync<NodeFailedException>(() => node.StartAsync());
        Assert.Contains($"Move the folder {node.Data} away", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetDirectories(node.Data, "damaged-*").Length);
        Assert.DoesNotContain('\n', failure.Message);
        // Nothing was touched.
        Assert.True(File.Exists(Path.Combine(node.Data, "identity")));
    }

    [Fact]
    public async Task What_a_newer_build_has_written_is_no_damage()
    {
        var (cluster, node) = await StartAsync();
        await using var _ = cluster;
        await node.CrashAsync();
        Journals.Rename(Path.Combine(node.Data, JournalFile.Name), number: 3, manifest: "Z");
        await node.StartAsync();
        var failure = await Assert.ThrowsAnyAsync<NodeFailedException>(
            () => node.Run!.Completion.WaitAsync(TestCluster.Patience));
        Assert.Contains("unknown kind 'Z'", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(node.Data, "damaged-*"));
    }
}
