using Microsoft.Data.Sqlite;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>A journal that takes no more facts: as on a full disk, or on one that does not answer.</summary>
public sealed class JournalFailureSpec
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_node_leaves_service_while_the_others_go_on_and_returns_when_it_can_write_again(bool sequencer)
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var load = Load.Start(cluster);
        await load.ProceedAsync(100);
        var leading = await cluster.SequencerAsync();
        var failing = sequencer ? leading : cluster.Nodes.First(n => n != leading);

        Execute(failing, "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
        await cluster.WaitUntilAsync(
            "the node is out of service and says so, the others go on",
            s => s[failing] is { Mode: NodeMode.Zombie, Reason: not null } && cluster.Nodes.All(n => n == failing || s.IsAlive(n)));
        await load.ProceedAsync(200);
        var read = await cluster.Client.ReadAsync(failing, ReadConsistency.Linearizable, "any");
        Assert.NotEqual(ReadStatus.Done, read?.Status);

        Execute(failing, "DROP TRIGGER full");
        await cluster.WaitUntilAsync("the node is ALIVE again", s => s.IsAlive(failing));
        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_whose_disk_hangs_does_not_hold_up_the_others(bool sequencer)
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var load = Load.Start(cluster);
        await load.ProceedAsync(100);
        var leading = await cluster.SequencerAsync();
        var hanging = sequencer ? leading : cluster.Nodes.First(n => n != leading);

        await using (var connection = Connect(hanging))
        {
            // SQLite's one lock for writing: who else wants it waits.
            await using var locked = connection.BeginTransaction(deferred: false);
            await cluster.WaitUntilAsync(
                "another one leads without it",
                s => s.Values.Any(n => n.IsSequencer && n.Node != hanging.Name && n.Mode == NodeMode.Alive)
                    && (sequencer || !s.IsAlive(hanging)));
            await load.ProceedAsync(200);
        }

        await cluster.WaitUntilAsync("the node is ALIVE again", s => s.IsAlive(hanging));
        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }

    private static void Execute(TestNode node, string sql)
    {
        using var connection = Connect(node);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    // A connection besides the node's own.
    private static SqliteConnection Connect(TestNode node)
    {
        var connection = new SqliteConnection(
            $"Data Source={Path.Combine(node.Data, "journal.db")};Pooling=False;Default Timeout=30");
        connection.Open();
        return connection;
    }
}
