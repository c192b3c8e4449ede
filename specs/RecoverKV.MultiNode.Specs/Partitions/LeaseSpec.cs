using System.Text;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>R5, R8: a member that is cut off may read for as long as its lease lasts, and so nothing may be committed
/// without it for as long.</summary>
public sealed class LeaseSpec
{
    // The sequencer misses a member long before its lease has ended.
    private const string LongLease = """
        recoverkv.lease = 3s
        recoverkv.silence-limit = 200ms
        """;

    [Fact]
    public async Task A_write_waits_for_the_lease_of_a_dropped_member_to_end()
    {
        await using var cluster = await TestCluster.StartAsync(3, LongLease);
        var session = await TestSession.OpenAsync(cluster);
        await session.PutAsync("before", Encoding.UTF8.GetBytes("value"));
        await cluster.WaitUntilHealedAsync();
        var sequencer = await cluster.SequencerAsync();
        var away = cluster.Nodes.First(n => n != sequencer);

        await cluster.IsolateAsync(away);
        var write = session.PutAsync("after", Encoding.UTF8.GetBytes("value"), [sequencer]);
        while (!write.IsCompleted)
        {
            var read = await cluster.Client.ReadAsync(away, ReadConsistency.Linearizable, "before");
            Assert.NotNull(read);
        }

        // From the acknowledgement on it would answer with an old state.
        await write;
        var late = await cluster.Client.ReadAsync(away, ReadConsistency.Linearizable, "after");
        Assert.Equal(ReadStatus.NotAlive, late?.Status);

        await cluster.HealAsync();
        await cluster.AssertAllEqualAsync();
    }
}
