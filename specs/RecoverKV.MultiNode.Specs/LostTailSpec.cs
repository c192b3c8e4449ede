using RecoverKV.Actors;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>R11: a journal that lost its tail while its node was down, as by a deleted write-ahead log, or by a copy of
/// <c>journal.db</c> alone that was put back.</summary>
public sealed class LostTailSpec
{
    [Fact]
    public async Task A_node_that_lost_acknowledged_writes_waits_for_the_one_that_has_them()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 50);
        var (lost, other, away) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        await away.CrashAsync();
        await cluster.WaitUntilAsync("the others go on", s => s.IsAlive(lost) && s.IsAlive(other));
        Save(lost);
        await Load.WriteAsync(cluster, "meanwhile", 50);
        await Task.WhenAll(lost.CrashAsync(), other.CrashAsync());
        PutBack(lost);

        await Task.WhenAll(cluster.StartAsync(lost), cluster.StartAsync(away));
        await cluster.WaitUntilAsync(
            "both say what they wait for, and are not ALIVE",
            s => s[lost] is { Mode: NodeMode.Zombie, Reason: { } reason } && Says(reason, lost)
                && s[away] is { Mode: NodeMode.Ready, Reason: { } missing }
                && missing.Contains("n2 does not answer", StringComparison.Ordinal));

        await cluster.StartAsync(other);
        Assert.Equal(NodeExit.Restart, await lost.Run!.Completion.WaitAsync(TestCluster.Patience));
        await lost.CrashAsync();
        await cluster.StartAsync(lost);
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task Where_all_lost_their_tails_nobody_serves_until_the_loss_is_accepted()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await Load.WriteAsync(cluster, "before", 50);
        // These tell that those were committed.
        await Load.WriteAsync(cluster, "after", 10);
        await cluster.WaitUntilHealedAsync();
        // The last one that closes the file moves its write-ahead log into it.
        await Task.WhenAll(cluster.Nodes.Select(n => n.CrashAsync()));
        await Task.WhenAll(cluster.Nodes.Select(cluster.StartAsync));
        await cluster.WaitUntilHealedAsync();
        foreach (var node in cluster.Nodes) Save(node);
        await Load.WriteAsync(cluster, "lost", 50);
        await Task.WhenAll(cluster.Nodes.Select(n => n.CrashAsync()));
        foreach (var node in cluster.Nodes) PutBack(node);

        await Task.WhenAll(cluster.Nodes.Select(cluster.StartAsync));
        await cluster.WaitUntilAsync(
            "all refuse and say why",
            s => cluster.Nodes.All(n => s[n] is { Mode: NodeMode.Zombie, Reason: { } reason } && Says(reason, n)));
        var read = await cluster.Client.ReadAsync(cluster.Nodes[0], ReadConsistency.Stale, "before 7");
        Assert.Equal(ReadStatus.Done, read?.Status);
        Assert.NotNull(read!.Versions[0]);

        await Task.WhenAll(cluster.Nodes.Select(n => n.CrashAsync()));
        foreach (var node in cluster.Nodes) File.Delete(Path.Combine(node.Data, "journal.count"));
        await Task.WhenAll(cluster.Nodes.Select(cluster.StartAsync));
        await cluster.WaitUntilAsync("all are ALIVE with what is left", s => cluster.Nodes.All(s.IsAlive));
        Assert.Empty(Directory.GetDirectories(cluster.Nodes[0].Data, "retired-*"));
    }

    private static bool Says(string reason, TestNode node) =>
        reason.StartsWith($"{Path.Combine(node.Data, "journal.db")} ends at fact ", StringComparison.Ordinal);

    // What a backup of the file alone has, which leaves the write-ahead log out.
    private static void Save(TestNode node) =>
        File.Copy(Path.Combine(node.Data, "journal.db"), Path.Combine(node.Data, "saved"));

    private static void PutBack(TestNode node)
    {
        File.Move(Path.Combine(node.Data, "saved"), Path.Combine(node.Data, "journal.db"), overwrite: true);
        File.Delete(Path.Combine(node.Data, "journal.db-wal"));
    }
}
