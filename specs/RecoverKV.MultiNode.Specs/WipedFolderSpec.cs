using Microsoft.Data.Sqlite;
using RecoverKV.Actors;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R11: a node that lost its data folder is another member than before.</summary>
public sealed class WipedFolderSpec
{
    [Fact]
    public async Task A_wiped_node_receives_everything_under_a_new_incarnation()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 500);
        var wiped = cluster.Nodes[1];
        var identity = Identity(wiped);
        await WipeAsync(wiped);
        await Load.WriteAsync(cluster, "meanwhile", 100);

        await cluster.StartAsync(wiped);
        Assert.NotEqual(identity, Identity(wiped));
        await cluster.AssertAllEqualAsync();
        var uid = (await cluster.StatusesAsync())[wiped]!.Uid;
        Assert.Equal(uid, await wiped.FetchedUidsAsync());

        // From now on it counts like any other: it and one old member are a majority.
        await cluster.Nodes.First(n => n != wiped).CrashAsync();
        await Load.WriteAsync(cluster, "after", 100);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_wiped_node_counts_for_nothing_before_a_view_takes_it_in()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 100);
        var sequencer = await cluster.SequencerAsync();
        var (wiped, other) = cluster.Nodes.Where(n => n != sequencer).ToArray() is [var a, var b] ? (a, b) : default;
        // In this order the sequencer has no chance to make a view without the wiped one, nor to give it its own.
        await Task.WhenAll(WipeAsync(wiped), other.CrashAsync());
        await cluster.WaitUntilAsync(
            "the sequencer alone has stepped down",
            s => s[sequencer] is { Mode: not NodeMode.Alive, IsSequencer: false });
        await cluster.StartAsync(wiped);
        await cluster.WaitUntilAsync(
            "the wiped node runs",
            s => s[wiped] is { } node
                && node.Reason?.StartsWith("the replica is", StringComparison.Ordinal) is not true);

        // One old member and a wiped one are no majority, however long they try.
        var request = WriteRequestCodec.Create(0, 1, 0, []);
        for (var round = 0; round < 100; round++)
        {
            foreach (var node in new[] { sequencer, wiped })
            {
                var answer = await cluster.Client.WriteAsync(node, request, TestCluster.Patience);
                Assert.Equal(WriteStatus.NotSequencer, answer?.Answer.Status);
                var read = await cluster.Client.ReadAsync(node, ReadConsistency.Linearizable, "before 0");
                Assert.Equal(ReadStatus.NotAlive, read?.Status);
            }

            var statuses = await cluster.StatusesAsync();
            Assert.Equal(NodeMode.Zombie, statuses[wiped]?.Mode);
            Assert.Equal(0, statuses[wiped]?.Epoch);
        }

        await cluster.StartAsync(other);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_node_whose_journal_was_emptied_starts_over_instead_of_voting_again()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 100);
        var emptied = cluster.Nodes[1];
        var identity = Identity(emptied);
        await emptied.CrashAsync();
        using (var journal = new SqliteConnection(
            $"Data Source={Path.Combine(emptied.Data, "journal.db")};Pooling=False"))
        {
            journal.Open();
            using var command = journal.CreateCommand();
            command.CommandText = "DELETE FROM journal";
            Assert.NotEqual(0, command.ExecuteNonQuery());
        }

        await cluster.StartAsync(emptied);
        Assert.Equal(NodeExit.Restart, await emptied.Run!.Completion.WaitAsync(TestCluster.Patience));
        await emptied.CrashAsync();
        await cluster.StartAsync(emptied);
        Assert.NotEqual(identity, Identity(emptied));
        await cluster.AssertAllEqualAsync();
    }

    private static async Task WipeAsync(TestNode node)
    {
        await node.CrashAsync();
        Directory.Delete(node.Data, recursive: true);
    }

    private static string Identity(TestNode node) => File.ReadAllText(Path.Combine(node.Data, "identity"));
}
