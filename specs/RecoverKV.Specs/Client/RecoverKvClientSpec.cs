using RecoverKV.Actors.Replica;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class RecoverKvClientSpec
{
    [Fact]
    public async Task Values_are_stored_read_replaced_and_removed()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();

        var first = await client.PutAsync("a key", "one", returnPrevious: true);
        Assert.True(first.Applied);
        Assert.Null(Assert.Single(first.Previous));
        Assert.Empty((await client.PutAsync("another", "one")).Previous);
        var second = await client.PutAsync("a key", "two", returnPrevious: true);
        Assert.Equal(first.Uid, second.Previous[0]!.Uid);
        var read = await client.GetAsync("a key");
        Assert.Equal(("two", second.Uid, TimeSpan.Zero), (read.Text, read.Version!.Uid, read.Age));

        Assert.False((await client.PutIfAbsentAsync("a key", "three")).Applied);
        Assert.False((await client.CompareAndSetAsync("a key", "three", first.Uid)).Applied);
        Assert.True((await client.CompareAndSetAsync("a key", "three", second.Uid)).Applied);
        Assert.Equal(
            "three"u8.ToArray(),
            (await client.DeleteAsync("a key", returnPrevious: true)).Previous[0]!.Value.ToArray());
        Assert.Null((await client.GetAsync("a key")).Version);
    }

    [Fact]
    public async Task Several_operations_are_one_write_and_several_keys_one_read()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();

        var write = await client.WriteAsync(
        [
            new(OperationKind.Put, "a", new byte[] { 1 }),
            new(OperationKind.Put, "b", new byte[] { 2 }),
            new(OperationKind.Check, "c", default, 0),
        ], returnPrevious: true);
        Assert.Equal(3, write.Previous.Count);
        var read = await client.GetManyAsync(["b", "none", "a"]);

        Assert.Equal([2, -1, 1], read.Select(r => r.Version?.Value.Span[0] ?? -1));
        Assert.All(read.Where(r => r.Version is not null), r => Assert.Equal(write.Uid, r.Version!.Uid));
    }

    [Fact]
    public async Task That_the_version_before_a_write_was_left_out_is_said()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v1");
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not WriteBatch { Requests: [{ ReturnPrevious: true } request] }) return false;
            reply(new WriteReplies([cluster.Write(request) with { Previous = [], PreviousOmitted = true }]));
            return true;
        };

        var write = await client.PutAsync("k", "v2", returnPrevious: true);

        Assert.Equal((true, true, 0), (write.Applied, write.PreviousOmitted, write.Previous.Count));
        Assert.Equal(write.Uid, (await client.GetAsync("k")).Version!.Uid);
    }

    [Fact]
    public async Task Values_of_the_largest_size_travel_with_the_old_one()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        var value = new byte[1024 * 1024];
        Random.Shared.NextBytes(value);

        await client.PutAsync("large", value);
        var again = await client.PutAsync("large", value, returnPrevious: true);

        Assert.True(again.Previous[0]!.Value.Span.SequenceEqual(value));
        Assert.True((await client.GetAsync("large")).Version!.Value.Span.SequenceEqual(value));
    }

    [Fact]
    public async Task Requests_beyond_a_limit_are_refused_before_they_travel()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        var longKey = new Key(new byte[1025]);
        var operations = Enumerable.Range(0, 3)
            .Select(i => new WriteOperation(OperationKind.Put, $"k{i}", new byte[1_000_000])).ToList();

        foreach (var call in new Func<Task>[]
        {
            () => client.PutAsync("", "v"),
            () => client.PutAsync(default, "v"),
            () => client.PutAsync(longKey, "v"),
            () => client.PutAsync("k", new byte[1024 * 1024 + 1]),
            () => client.CompareAndSetAsync("k", "v", -1),
            () => client.WriteAsync([]),
            () => client.WriteAsync(operations),
            () => client.GetAsync(longKey),
            () => client.GetManyAsync(["k", ""]),
            () => client.GetManyAsync([.. Enumerable.Range(0, 1025).Select(i => new Key($"k{i}"))]),
            () => client.StopNodeAsync("n9"),
            () => client.PartitionAsync("n1", ["n9"]),
        })
        {
            var e = await Assert.ThrowsAsync<InvalidRequestException>(call);
            Assert.DoesNotContain('\n', e.Message);
        }

        Assert.DoesNotContain(cluster.Log, l => l.Message is WriteBatch or ReadBatch);
    }

    [Fact]
    public async Task Writes_find_the_sequencer_from_another_node()
    {
        await using var cluster = new FakeCluster(3);
        await using var client = await RecoverKvClient.ConnectAsync([cluster.ContactPoints[2]]);
        await client.PutAsync("k", "v1");
        cluster.Epoch = 2;
        cluster.Sequencer = "n3";
        await client.PutAsync("k", "v2");

        Assert.Equal("v2", (await client.GetAsync("k")).Text);
        // The redirected write went to both nodes as the same one.
        var last = cluster.Requests.GroupBy(r => (r.Request.Session, r.Request.Number)).Last(g => g.Key.Session > 0);
        Assert.Equal(["n1", "n3"], last.Select(r => r.Node).Distinct());
    }

    [Fact]
    public async Task A_lost_answer_is_asked_for_again_under_the_same_number_and_the_write_is_done_once()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v1");
        var lost = 0;
        cluster.Intercept = (_, message, _) =>
        {
            if (message is not WriteBatch batch || Interlocked.Exchange(ref lost, 1) != 0) return false;
            cluster.Write(batch.Requests[0]);
            return true;
        };

        var write = await client.PutAsync("k", "v2", returnPrevious: true);

        Assert.Equal("v1"u8.ToArray(), write.Previous[0]!.Value.ToArray());
        var copies = cluster.Requests.TakeLast(2).Select(r => (r.Request.Session, r.Request.Number));
        Assert.Single(copies.Distinct());
    }

    [Fact]
    public async Task Busy_is_not_the_end()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        var refusals = 0;
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not WriteBatch batch || Interlocked.Increment(ref refusals) > 5) return false;
            var busy = batch.Requests.Select(r => new WriteAnswer(r.Session, r.Number, WriteStatus.Busy, 0, []));
            reply(new WriteReplies([.. busy]));
            return true;
        };

        Assert.True((await client.PutAsync("k", "v")).Applied);
        Assert.Equal(6 + 1, refusals);
    }

    [Fact]
    public async Task A_forgotten_session_is_opened_anew()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v1");
        cluster.ForgetSessions();
        await client.PutAsync("k", "v2");

        Assert.Equal("v2", (await client.GetAsync("k")).Text);
        Assert.Equal(2, cluster.Requests.Count(r => r.Request.Session == 0));
    }

    [Fact]
    public async Task R12_a_store_made_anew_at_the_same_addresses_is_an_error_that_says_so()
    {
        await using var cluster = new FakeCluster(3) { Store = Guid.NewGuid(), Epoch = 7 };
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v");
        (cluster.Store, cluster.Epoch) = (Guid.NewGuid(), 1);

        foreach (var call in
            new Func<Task>[] { () => client.PutAsync("k", "v2"), () => client.GetAsync("k"), ScanAsync })
        {
            var e = await Assert.ThrowsAsync<NotDoneException>(call);
            Assert.Contains("connect anew", e.Message, StringComparison.Ordinal);
        }

        await using var anew = await cluster.ConnectAsync();
        Assert.True((await anew.PutAsync("k", "v3")).Applied);
        Assert.Equal("v3", (await anew.GetAsync("k")).Text);

        async Task ScanAsync()
        {
            await foreach (var _ in client.ScanAsync()) { }
        }
    }

    [Fact]
    public async Task R12_one_node_of_another_store_is_not_used()
    {
        await using var cluster = new FakeCluster(3) { Store = Guid.NewGuid() };
        await using var client = await cluster.ConnectAsync();
        var stranger = cluster.View() with { Cluster = Guid.NewGuid(), Epoch = 99, Sequencer = "n2" };
        cluster.Intercept = (node, message, reply) =>
        {
            if (node.Id != "n2") return false;
            if (OtherStore.Refusal(message, stranger.Cluster, () => stranger) is { } refusal) reply(refusal);
            else if (message is ClusterViewRequest request) reply(stranger with { Id = request.Id });
            return true;
        };

        for (var i = 0; i < 20; i++)
        {
            await client.PutAsync("k", $"{i}");
            Assert.Equal($"{i}", (await client.GetAsync("k")).Text);
        }

        // It was asked once at most, and refused.
        Assert.InRange(cluster.Log.Count(l => l is { Node: "n2", Message: ReadBatch or WriteBatch }), 0, 3);
    }

    [Fact]
    public async Task Every_call_ends_by_its_deadline_and_says_what_is_known()
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync(deadlineSeconds: 0.4);
        await client.PutAsync("k", "v");
        cluster.Intercept = (_, message, _) => message is not ClusterViewRequest;

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => client.PutAsync("k", "v"));
        await Assert.ThrowsAsync<NotDoneException>(() => client.GetAsync("k"));
        await Assert.ThrowsAsync<NotDoneException>(() => client.PartitionAsync("n1", []));
        await Assert.ThrowsAsync<NotDoneException>(async () =>
        {
            await foreach (var _ in client.ScanAsync()) { }
        });
        Assert.All((await client.GetStatusAsync()).Nodes, n => Assert.Equal(NodeMode.Dead, n.Mode));

        cluster.Sequencer = null;
        await using var other = await cluster.ConnectAsync(deadlineSeconds: 0.4);
        await Assert.ThrowsAsync<NotDoneException>(() => other.PutAsync("k", "v"));
    }

    [Fact]
    public async Task A_call_can_be_cancelled_and_the_next_goes_on()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v1");
        cluster.Intercept = (_, message, _) => message is WriteBatch or ReadBatch;
        using var cancel = new CancellationTokenSource();
        var write = client.PutAsync("k", "v2", cancel.Token);
        var read = client.GetAsync("k", cancellationToken: cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        cluster.Intercept = (_, _, _) => false;
        Assert.True((await client.PutAsync("k", "v3")).Applied);
        Assert.Equal("v3", (await client.GetAsync("k")).Text);
    }

    [Fact]
    public async Task Many_concurrent_calls_are_all_done_in_fewer_messages()
    {
        await using var cluster = new FakeCluster(3);
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async caller =>
        {
            for (var i = 0; i < 50; i++)
            {
                await client.PutAsync($"{caller}", $"{i}");
                Assert.Equal($"{i}", (await client.GetAsync($"{caller}")).Text);
            }
        }));

        var numbers = cluster.Requests.Where(r => r.Request.Session > 0).Select(r => r.Request.Number);
        Assert.Equal(3200, numbers.Distinct().Count());
        Assert.InRange(cluster.Log.Count(l => l.Message is WriteBatch), 1, 3199);
        Assert.InRange(cluster.Log.Count(l => l.Message is ReadBatch), 1, 3199);
        Assert.Equal(3, cluster.Log.Where(l => l.Message is ReadBatch).Select(l => l.Node).Distinct().Count());
    }

    [Fact]
    public async Task Reads_go_on_when_a_node_dies_and_the_client_closes_fast()
    {
        await using var cluster = new FakeCluster(3);
        var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v");
        for (var i = 0; i < 6; i++) await client.GetAsync("k");
        cluster.Nodes[1].Stop();

        for (var i = 0; i < 20; i++) Assert.Equal("v", (await client.GetAsync("k")).Text);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task Closing_ends_open_calls()
    {
        await using var cluster = new FakeCluster();
        var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v");
        cluster.Intercept = (_, message, _) => message is WriteBatch or ReadBatch;
        var write = client.PutAsync("k", "v");
        var read = client.GetAsync("k");
        await client.DisposeAsync();
        await client.DisposeAsync();

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => write);
        await Assert.ThrowsAsync<NotDoneException>(() => read);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.PutAsync("k", "v"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.GetAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetStatusAsync());
    }
}
