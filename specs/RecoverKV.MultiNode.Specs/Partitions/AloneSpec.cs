using System.Text;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>`on-partition = available`: a node that nobody may heal answers with what it has, until somebody
/// may.</summary>
public sealed class AloneSpec
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_that_may_not_heal_serves_marked_stale_reads_and_nothing_else(bool sequencer)
    {
        await using var cluster = await TestCluster.StartAsync(
            3, "recoverkv.chaos = on\nrecoverkv.on-partition = available");
        var session = await TestSession.OpenAsync(cluster);
        var old = await PutAsync(session, "old", cluster.Nodes);
        await cluster.WaitUntilHealedAsync();
        foreach (var node in cluster.Nodes) await LimitHealingAsync(cluster, node, cut: true);

        var leads = await cluster.SequencerAsync();
        var epoch = (await cluster.StatusesAsync())[leads]!.Epoch;
        var down = sequencer ? leads : cluster.Nodes.First(n => n != leads);
        await down.CrashAsync();
        var others = cluster.Nodes.Where(n => n != down).ToArray();
        await cluster.WaitUntilAsync("the others go on", s => others.All(n => s.IsAlive(n) && s[n]!.Epoch > epoch));
        var uid = await PutAsync(session, "new", others);

        // Twice: what was ordered outlives the process.
        for (var start = 0; start < 2; start++)
        {
            await cluster.StartAsync(down);
            var stale = await cluster.ReadAsync(down, ReadConsistency.Available, "key");
            Assert.Equal(old, Assert.Single(stale.Versions)?.Uid);
            Assert.NotEqual(0, stale.AgeMilliseconds);
            var refused = await cluster.Client.ReadAsync(down, ReadConsistency.Linearizable, "key");
            Assert.Equal(ReadStatus.NotAlive, refused?.Status);
            foreach (var node in others)
            {
                var read = await cluster.ReadAsync(node, ReadConsistency.Available, "key");
                Assert.Equal((uid, 0L), (Assert.Single(read.Versions)!.Uid, read.AgeMilliseconds));
            }

            uid = await PutAsync(session, "newer", others);
            if (start == 0) await down.CrashAsync();
        }

        foreach (var node in cluster.Nodes) await LimitHealingAsync(cluster, node, cut: false);
        await cluster.WaitUntilHealedAsync();
        var healed = await cluster.ReadAsync(down, ReadConsistency.Available, "key");
        Assert.Equal((uid, 0L), (Assert.Single(healed.Versions)!.Uid, healed.AgeMilliseconds));
    }

    private static async Task<long> PutAsync(TestSession session, string value, IReadOnlyList<TestNode> via)
    {
        var put = new WriteOperation(OperationKind.Put, "key", Encoding.UTF8.GetBytes(value));
        return (await session.SendAsync(session.Next(put), via)).Uid;
    }

    private static async Task LimitHealingAsync(TestCluster cluster, TestNode node, bool cut)
    {
        var reply = await cluster.Client.AskAsync<AdminReply>(
            node, new PartitionNode(cluster.Client.NextId(), cut, [], HealingOnly: true), TestCluster.Patience);
        Assert.True(reply is { Done: true }, reply?.Text);
    }
}
