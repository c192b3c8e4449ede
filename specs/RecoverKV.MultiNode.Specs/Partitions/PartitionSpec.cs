using System.Text;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>The nodes that one after the other take all shapes of partition.</summary>
public abstract class PartitionedCluster(int nodes) : IAsyncLifetime
{
    internal TestCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await TestCluster.StartAsync(nodes);

    public async Task DisposeAsync() => await Cluster.DisposeAsync();
}

/// <summary>What must hold in any partition.</summary>
public abstract class PartitionSpec(PartitionedCluster fixture)
{
    private const int Rounds = 10;
    private static int s_keys;
    private readonly TestCluster _cluster = fixture.Cluster;

    /// <param name="shape">See <see cref="Shape"/>.</param>
    /// <param name="serving">The nodes that must go on: take writes and, at last, answer reads.</param>
    /// <param name="silent">The nodes that must answer no write and, once their lease is over, no read.</param>
    protected async Task HoldsAsync(string shape, string serving, string silent)
    {
        await _cluster.WaitUntilHealedAsync();
        var runs = _cluster.Nodes.Select(n => n.Run).ToArray();
        var cut = new Shape(shape, _cluster, await _cluster.SequencerAsync());
        var (servingNodes, silentNodes) = (cut.Nodes(serving), cut.Nodes(silent));
        var session = await TestSession.OpenAsync(_cluster);
        await session.PutAsync(NewKey(), Value);

        await cut.CutAsync(_cluster);
        // At once, while the sequencer may not yet know that it is cut off.
        var attempts = silentNodes.Select(n => AttemptAsync(session, n)).ToArray();
        await GoesOnAsync(session, servingNodes, silentNodes);
        await FallsSilentAsync(silentNodes, session, attempts);
        await GoesOnAsync(session, servingNodes, silentNodes);

        await _cluster.HealAsync();
        await _cluster.WaitUntilHealedAsync();
        await GoesOnAsync(await TestSession.OpenAsync(_cluster), [.. _cluster.Nodes], []);
        await _cluster.AssertAllEqualAsync();
        Assert.Equal(runs, _cluster.Nodes.Select(n => n.Run));
    }

    // Writes are acknowledged and read by every serving node. Another one may answer nothing older meanwhile: a write
    // is acknowledged when nobody else has a lease any more.
    private async Task GoesOnAsync(TestSession session, TestNode[] serving, TestNode[] silent)
    {
        if (serving.Length == 0) return;
        for (var round = 0; round < Rounds; round++)
        {
            var key = NewKey();
            var uid = await session.PutAsync(key, Value, serving);
            foreach (var node in silent)
            {
                var read = await _cluster.Client.ReadAsync(node, ReadConsistency.Linearizable, key);
                if (read?.Status == ReadStatus.Done) Assert.Equal(uid, Assert.Single(read.Versions)?.Uid);
            }

            foreach (var node in serving) Assert.Equal(uid, Assert.Single(await _cluster.ReadAsync(node, key))?.Uid);
        }
    }

    private async Task FallsSilentAsync(TestNode[] nodes, TestSession session, Task<WriteStatus?>[] attempts)
    {
        if (nodes.Length == 0) return;
        await _cluster.WaitUntilAsync(
            $"{Names(nodes)} lose lease and sequencer",
            s => nodes.All(n => s[n] is { Mode: not NodeMode.Alive, IsSequencer: false }));
        foreach (var node in nodes)
        {
            var read = await _cluster.Client.ReadAsync(node, ReadConsistency.Linearizable, "any");
            Assert.Equal(ReadStatus.NotAlive, read?.Status);
            var stale = await _cluster.Client.ReadAsync(node, ReadConsistency.Stale, "any");
            Assert.Equal(ReadStatus.Done, stale?.Status);
            Assert.NotEqual(WriteStatus.Done, await AttemptAsync(session, node));
        }

        foreach (var status in await Task.WhenAll(attempts)) Assert.NotEqual(WriteStatus.Done, status);
    }

    // A write to this node only, which the ledger has as one that may take effect.
    private async Task<WriteStatus?> AttemptAsync(TestSession session, TestNode node)
    {
        var key = NewKey();
        _cluster.Ledger.Attempt(key, Value);
        var request = session.Next(new WriteOperation(OperationKind.Put, key, Value));
        return (await _cluster.Client.WriteAsync(node, request, TestCluster.Patience))?.Answer.Status;
    }

    private static string Names(TestNode[] nodes) => string.Join(' ', nodes.Select(n => n.Name));

    private static byte[] Value => Encoding.UTF8.GetBytes("value");

    private static Key NewKey() => $"key {Interlocked.Increment(ref s_keys)}";
}
