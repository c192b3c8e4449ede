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

        Execute(
            failing, "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
        await cluster.WaitUntilAsync(
            "the node is out of service and says so, the others go on",
            s => s[failing] is { Mode: NodeMode.Zombie, Reason: not null }
                && cluster.Nodes.All(n => n == failing || s.IsAlive(n)));
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

    [Fact]
    public async Task While_no_disk_takes_anything_reads_go_on_and_writes_end_with_the_reason()
    {
        // A machine that is busy must not end what only disks are to end here.
        await using var cluster = await TestCluster.StartAsync(3, """
            recoverkv {
              lease = 10s
              silence-limit = 10s
            }
            """);
        var session = await TestSession.OpenAsync(cluster);
        await session.PutAsync("before", [1]);
        var sequencer = await cluster.SequencerAsync();
        var epoch = (await cluster.StatusesAsync())[sequencer]!.Epoch;
        Task<long> underWay;
        var connections = cluster.Nodes.Select(Connect).ToList();
        var locks = connections.ConvertAll(c => c.BeginTransaction(deferred: false));
        try
        {
            underWay = session.PutAsync("meanwhile", [2]);
            await cluster.WaitUntilAsync(
                "all say what is wrong with their disks, and are ALIVE",
                s => cluster.Nodes.All(n =>
                    s[n] is { Mode: NodeMode.Alive, Reason: { } reason }
                    && reason.Contains("another program has locked", StringComparison.Ordinal)));
            var refused = await cluster.Client.WriteAsync(
                sequencer, session.Next(new WriteOperation(OperationKind.Put, "refused", new byte[1])),
                TestCluster.Patience);
            Assert.Equal(WriteStatus.Busy, refused?.Answer.Status);
            Assert.Contains(
                $"the disk of the sequencer, {sequencer.Name}, takes nothing",
                refused!.Value.Answer.Text, StringComparison.Ordinal);
            foreach (var node in cluster.Nodes)
                Assert.NotNull((await cluster.ReadAsync(node, "before"))[0]);
            Assert.False(underWay.IsCompleted);
        }
        finally
        {
            locks.ForEach(l => l.Dispose());
            connections.ForEach(c => c.Dispose());
        }

        await underWay;
        await cluster.WaitUntilAsync(
            "nothing is wrong any more", s => s.Values.All(n => n is { Mode: NodeMode.Alive, Reason: null }));
        // Nobody left service.
        Assert.Equal(epoch, (await cluster.StatusesAsync())[sequencer]!.Epoch);
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
