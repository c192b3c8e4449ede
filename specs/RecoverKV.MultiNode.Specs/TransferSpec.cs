using Microsoft.Data.Sqlite;
using RecoverKV.Actors;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R10: journals forget what a checkpoint has, and a node that lacks it takes the state from a peer.</summary>
public sealed class TransferSpec
{
    /// <summary>Nothing is kept for peers, and a state goes in many parts.</summary>
    internal const string Forgetful = """
        recoverkv {
          log-memory = 0B
          log.keep = 0B
          fetch.bytes = 4KiB
        }
        """;

    private static Task<TestCluster> StartAsync() => TestCluster.StartAsync(3, Forgetful);

    private static long First(TestNode node)
    {
        using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(node.Data, JournalFile.Name)};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT MIN(sequence_number) FROM journal";
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>These nodes write a checkpoint, and their journals forget what is in it.</summary>
    internal static async Task ForgetAsync(TestCluster cluster, params TestNode[] nodes)
    {
        foreach (var node in nodes)
        {
            var reply = await cluster.Client.AskAsync<AdminReply>(
                node, new CheckpointNode(cluster.Client.NextId()), TestCluster.Patience);
            Assert.True(reply is { Done: true }, reply?.Text ?? "no answer");
            await node.CrashAsync();
            Assert.True(First(node) > 1, $"the journal of {node.Name} has all facts");
            await cluster.StartAsync(node);
        }

        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_wiped_node_takes_the_state_while_writes_go_on()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 2000);
        var sequencer = await cluster.SequencerAsync();
        var wiped = cluster.Nodes.First(n => n != sequencer);
        await wiped.CrashAsync();
        Directory.Delete(wiped.Data, recursive: true);
        await ForgetAsync(cluster, [.. cluster.Nodes.Where(n => n != wiped)]);
        var meanwhile = Load.WriteAsync(cluster, "meanwhile", 500);
        await cluster.StartAsync(wiped);
        await meanwhile;
        await cluster.AssertAllEqualAsync();
        // Far less than all uids came from logs.
        Assert.InRange(await wiped.FetchedUidsAsync(), 0, 1999);
        Assert.False(File.Exists(Path.Combine(wiped.Data, StoreFile.Name + StoreFile.Incoming)));

        // From then on it counts like any other, and gives the state itself.
        var next = cluster.Nodes.First(n => n != wiped);
        await next.CrashAsync();
        Directory.Delete(next.Data, recursive: true);
        await ForgetAsync(cluster, [.. cluster.Nodes.Where(n => n != next)]);
        await cluster.StartAsync(next);
        await Load.WriteAsync(cluster, "after", 100);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_node_that_was_away_takes_the_state_and_keeps_its_place()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 300);
        var sequencer = await cluster.SequencerAsync();
        var away = cluster.Nodes.First(n => n != sequencer);
        await away.CrashAsync();
        await Load.WriteAsync(cluster, "meanwhile", 1500);
        await ForgetAsync(cluster, [.. cluster.Nodes.Where(n => n != away)]);
        await cluster.StartAsync(away);
        await cluster.AssertAllEqualAsync();
        Assert.Empty(Directory.GetDirectories(away.Data, "retired-*"));

        // All at once: each begins with its own checkpoint.
        foreach (var node in cluster.Nodes) await node.CrashAsync();
        foreach (var node in cluster.Nodes) await cluster.StartAsync(node);
        await Load.WriteAsync(cluster, "after", 100);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task Neither_the_end_of_the_taker_nor_that_of_the_giver_loses_anything()
    {
        await using var cluster = await StartAsync();
        await Load.WriteAsync(cluster, "before", 3000);
        var sequencer = await cluster.SequencerAsync();
        var wiped = cluster.Nodes.First(n => n != sequencer);
        await wiped.CrashAsync();
        Directory.Delete(wiped.Data, recursive: true);
        var givers = cluster.Nodes.Where(n => n != wiped).ToArray();
        await ForgetAsync(cluster, givers);
        var incoming = Path.Combine(wiped.Data, StoreFile.Name + StoreFile.Incoming);
        for (var round = 0; round < 4; round++)
        {
            await cluster.StartAsync(wiped);
            // Something of it has come, or all of it.
            await cluster.WaitUntilAsync("the state comes", s => File.Exists(incoming) || s[wiped] is { Keys: > 0 });
            await (round % 2 == 0 ? wiped : givers[round / 2]).CrashAsync();
            if (round % 2 == 1)
            {
                await cluster.StartAsync(givers[round / 2]);
                await wiped.CrashAsync();
            }
        }

        await cluster.StartAsync(wiped);
        await cluster.AssertAllEqualAsync();
        Assert.False(File.Exists(incoming));
    }
}
