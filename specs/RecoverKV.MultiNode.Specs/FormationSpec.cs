using System.Text;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Three healthy nodes: what clients may expect of each of them.</summary>
public sealed class FormationSpec : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(3);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Every_node_leads_to_the_sequencer_and_every_node_reads_what_was_written()
    {
        foreach (var through in _cluster.Nodes)
        {
            var session = await TestSession.OpenAsync(_cluster);
            var uid = await session.PutAsync(
                $"through {through.Name}", Bytes("value"), [through, await _cluster.SequencerAsync()]);
            foreach (var node in _cluster.Nodes)
            {
                var version = Assert.Single(await _cluster.ReadAsync(node, $"through {through.Name}"));
                Assert.Equal(uid, version!.Uid);
                Assert.Equal("value", Encoding.UTF8.GetString(version.Value.Span));
            }
        }

        await _cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task A_write_of_several_operations_is_one_or_nothing()
    {
        var session = await TestSession.OpenAsync(_cluster);
        var both = await session.WriteAsync(Put("a", "1"), Put("b", "1"));
        Assert.Equal(WriteStatus.Done, both.Status);
        Assert.Equal([null, null], both.Previous);

        var refused = await session.WriteAsync(Put("a", "2"), Put("b", "2") with { ExpectedUid = both.Uid + 1 });
        Assert.Equal(WriteStatus.ConditionFailed, refused.Status);
        var taken = await session.WriteAsync(
            Put("a", "3") with { ExpectedUid = both.Uid }, Delete("b"), Put("c", "3") with { ExpectedUid = 0 });
        Assert.Equal(WriteStatus.Done, taken.Status);
        Assert.Equal([both.Uid, both.Uid, null], taken.Previous.Select(v => v?.Uid));

        foreach (var node in _cluster.Nodes)
            Assert.Equal(
                [taken.Uid, null, taken.Uid], (await _cluster.ReadAsync(node, "a", "b", "c")).Select(v => v?.Uid));
    }

    [Fact]
    public async Task Compare_and_set_has_one_winner()
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TestSession.OpenAsync(_cluster)));
        long expected = 0;
        for (var round = 0; round < 5; round++)
        {
            var answers = await Task.WhenAll(
                sessions.Select(s => s.WriteAsync(Put("cas", $"{round}") with { ExpectedUid = expected })));
            var winner = Assert.Single(answers, a => a.Status == WriteStatus.Done);
            Assert.All(answers, a => Assert.True(a == winner || a.Status == WriteStatus.ConditionFailed));
            expected = winner.Uid;
        }
    }

    [Fact]
    public async Task Stale_reads_bound_their_age_and_reach_the_committed_state()
    {
        var session = await TestSession.OpenAsync(_cluster);
        var uid = await session.PutAsync("stale", Bytes("value"));
        await _cluster.WaitUntilHealedAsync();
        foreach (var node in _cluster.Nodes)
        {
            var answer = await _cluster.Client.ReadAsync(node, ReadConsistency.Stale, "stale", "absent");
            Assert.Equal(ReadStatus.Done, answer!.Status);
            Assert.Equal([uid, null], answer.Versions.Select(v => v?.Uid));
            Assert.True(answer.AgeMilliseconds >= 0);
        }
    }

    [Fact]
    public async Task A_scan_gives_every_key_once_in_pages_of_any_size()
    {
        await Load.WriteAsync(_cluster, "scanned", 100);
        foreach (var pageSize in new[] { 1, 7, 1000 })
        {
            foreach (var node in _cluster.Nodes)
                _cluster.Ledger.AssertIs((await _cluster.DumpAsync(node, pageSize))!, node.Name);
        }
    }

    [Fact]
    public async Task A_retry_at_the_next_sequencer_gets_the_first_answer_and_is_not_executed_again()
    {
        var session = await TestSession.OpenAsync(_cluster);
        var first = await session.WriteAsync(Put("once", "before"));
        var request = session.Next(Put("once", "first") with { ExpectedUid = first.Uid });
        var answer = await session.SendAsync(request);
        Assert.Equal(WriteStatus.Done, answer.Status);
        var later = await session.WriteAsync(Put("once", "later"));

        var old = await _cluster.SequencerAsync();
        await old.CrashAsync();
        var rest = _cluster.Nodes.Where(n => n != old).ToArray();
        // Whoever leads next, and the one that does not: each is asked as long as it takes.
        var retried = await session.SendAsync(request, rest);
        Assert.Equal((answer.Status, answer.Uid), (retried.Status, retried.Uid));
        Assert.Equal(first.Uid, Assert.Single(retried.Previous)!.Uid);
        foreach (var node in rest)
            Assert.Equal(later.Uid, Assert.Single(await _cluster.ReadAsync(node, "once"))!.Uid);

        await _cluster.StartAsync(old);
        await _cluster.WaitUntilHealedAsync();
        Assert.Equal(later.Uid, Assert.Single(await _cluster.ReadAsync(old, "once"))!.Uid);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static WriteOperation Put(string key, string value) => new(OperationKind.Put, key, Bytes(value));

    private static WriteOperation Delete(string key) => new(OperationKind.Delete, key, default);
}
