using System.Runtime.CompilerServices;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Writes;

namespace RecoverKV.Specs.Client;

public sealed class WritePipelineSpec
{
    private readonly PipelineHarness _h = new();

    [Fact]
    public async Task Calls_that_come_while_messages_are_unanswered_go_together()
    {
        await _h.OpenSessionAsync();
        var calls = Enumerable.Range(0, 100).Select(i => _h.Put($"k{i}")).ToArray();

        // Each message has at least as many calls as the last one, and of many calls no more than half.
        Assert.Equal([1, 1, 1], Sizes());
        _h.Answer(7, 2, WriteStatus.Done);
        Assert.Equal([1, 1, 1, 50], Sizes());
        _h.Answer(7, 3, WriteStatus.Done);
        _h.Answer(7, 4, WriteStatus.Done);
        Assert.Equal([1, 1, 1, 50], Sizes());
        _h.Answer(7, 5, WriteStatus.Done);
        Assert.Equal([1, 1, 1, 50, 32], Sizes());
        _h.Answer(7, 55, WriteStatus.Done);

        Assert.Equal([1, 1, 1, 50, 32, 15], Sizes());
        Assert.Equal(Enumerable.Range(2, 100).Select(n => (long)n), _h.Requests.Select(r => r.Request.Number));
        Assert.Equal("k99", _h.Requests[^1].Request.Operations[0].Key.ToString());
        Assert.Equal(5, calls.Count(c => c.IsCompleted));

        IEnumerable<int> Sizes() => _h.Sent.Select(s => ((WriteBatch)s.Message).Requests.Count);
    }

    [Fact]
    public async Task Callers_that_were_answered_together_go_together_with_their_next_calls()
    {
        var work = new Queue<IThreadPoolWorkItem>();
        var h = new PipelineHarness { Later = work.Enqueue };
        await h.OpenSessionAsync();
        for (var i = 0; i < 3; i++) _ = h.Put($"k{i}");
        h.Sent.Clear();
        h.Writes.Receive(
            new WriteReplies(
                [.. Enumerable.Range(2, 3).Select(n => new WriteAnswer(7, n, WriteStatus.Done, n, [null]))]),
            null);

        _ = h.Put("first");
        work.Dequeue().Execute();
        Assert.Empty(h.Sent);
        _ = h.Put("second");
        Assert.Empty(h.Sent);
        // Nobody else comes: it waits no longer.
        work.Dequeue().Execute();
        work.Dequeue().Execute();

        Assert.Equal(["first", "second"], h.Requests.Select(r => r.Request.Operations[0].Key.ToString()));
        Assert.Single(h.Sent);
        Assert.Empty(work);
    }

    [Fact]
    public async Task Calls_that_come_while_a_message_is_being_sent_join_the_next_one()
    {
        await _h.OpenSessionAsync();
        var send = _h.Send;
        _h.Send = (to, message) =>
        {
            _h.Send = send;
            for (var i = 0; i < 10; i++) _ = _h.Put($"while{i}");
            send(to, message);
        };

        _ = _h.Put("k");

        Assert.Equal([1, 10], _h.Sent.Select(s => ((WriteBatch)s.Message).Requests.Count));
    }

    [Fact]
    public async Task A_lost_message_does_not_hold_up_others()
    {
        await _h.OpenSessionAsync();
        _h.FillTheAir();
        _ = _h.Put("next");
        Assert.Equal(Timing.Flights, _h.Sent.Count);

        _h.Pass(Timing.FlightMost + Timing.Sweep);

        Assert.Equal(Timing.Flights + 1, _h.Sent.Count);
    }

    [Fact]
    public async Task A_message_stays_small_unless_one_write_is_large()
    {
        await _h.OpenSessionAsync();
        for (var i = 0; i < Timing.Flights; i++) _ = _h.Put($"first{i}");
        for (var i = 0; i < 10; i++) _ = _h.Put($"k{i}", new string('x', 100_000));
        _ = _h.Put("large", new string('x', 1_000_000));

        _h.Answer(7, 2, WriteStatus.Done);
        _h.Answer(7, 3, WriteStatus.Done);

        var sizes = _h.Sent.Skip(Timing.Flights).Select(s => ((WriteBatch)s.Message).Requests.Count);
        Assert.Equal([2, 2], sizes);
    }

    [Fact]
    public async Task Busy_is_repeated_under_the_same_number_and_ends_as_not_done()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        for (var i = 0; i < 3; i++)
        {
            _h.Answer(7, 2, WriteStatus.Busy);
            Assert.Equal(i + 1, _h.Requests.Count);
            _h.Pass(220);
            Assert.Equal(i + 2, _h.Requests.Count);
        }

        Assert.All(_h.Requests, r => Assert.Equal(2, r.Request.Number));
        _h.Answer(7, 2, WriteStatus.Busy);
        _h.Map.Offer(PipelineHarness.View(2, null), _h.Map.Find("a"));
        _h.Pass(PipelineHarness.Deadline);

        PipelineHarness.Failed<NotDoneException>(write);
    }

    [Fact]
    public async Task What_keeps_the_store_from_taking_writes_is_said_when_a_call_ends()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        var answer = new WriteAnswer(7, 2, WriteStatus.Busy, 0, [], "the disk is full");
        _h.Writes.Receive(new WriteReplies([answer]), _h.Map.Find("a"));
        _h.Map.Offer(PipelineHarness.View(2, null), _h.Map.Find("a"));
        _h.Pass(PipelineHarness.Deadline);
        Assert.Equal(
            "The write was not done: the disk is full.", PipelineHarness.Failed<NotDoneException>(write).Message);
    }

    [Fact]
    public async Task A_full_store_ends_the_call_at_once_and_nothing_is_sent_again()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Writes.Receive(new WriteReplies([Full(7, 2)]), _h.Map.Find("a"));
        Assert.Equal(
            "The write was not done: the disk of a is full.",
            PipelineHarness.Failed<StoreFullException>(write).Message);
        _h.Pass(PipelineHarness.Deadline);
        Assert.Single(_h.Requests);
        // A node has a copy of no later write below it.
        _ = _h.Put("l");
        Assert.Equal((3, 3), (_h.Requests[^1].Request.Number, _h.Requests[^1].Request.LowWater));
    }

    [Fact]
    public async Task A_full_store_says_nothing_of_a_copy_that_another_node_may_have_taken()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, WriteStatus.NotSequencer, view: PipelineHarness.View(1, null), from: "a");
        _h.Map.Offer(PipelineHarness.View(2, "b"), null);
        _h.Pass(20);
        _h.Writes.Receive(new WriteReplies([Full(7, 2)]), _h.Map.Find("b"));
        Assert.False(write.IsCompleted);
        _h.Map.Offer(PipelineHarness.View(3, null), null);
        _h.Pass(PipelineHarness.Deadline);
        Assert.Contains(
            "the disk of a is full",
            PipelineHarness.Failed<OutcomeUnknownException>(write).Message, StringComparison.Ordinal);
    }

    private static WriteAnswer Full(long session, long number) =>
        new(session, number, WriteStatus.Full, 0, [], "the disk of a is full");

    [Fact]
    public async Task Busy_pauses_everything_so_that_the_order_stays()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k1");
        _h.Answer(7, 2, WriteStatus.Busy);
        _ = _h.Put("k2");
        Assert.Single(_h.Requests);

        _h.Pass(20);

        Assert.Equal([2, 2, 3], _h.Requests.Select(r => (int)r.Request.Number));
    }

    [Fact]
    public async Task A_copy_without_an_answer_after_a_busy_one_makes_the_outcome_unknown()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, WriteStatus.Busy);
        _h.Pass(PipelineHarness.Deadline);

        PipelineHarness.Failed<OutcomeUnknownException>(write);
    }

    [Fact]
    public async Task A_copy_that_a_deposed_sequencer_may_have_taken_makes_the_outcome_unknown()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, WriteStatus.NotSequencer, view: PipelineHarness.View(1, null), from: "a");
        _h.Map.Offer(PipelineHarness.View(2, "b"), null);
        _h.Pass(20);
        Assert.Equal("b", _h.Requests[^1].To);
        _h.Answer(7, 2, WriteStatus.Busy, from: "b");
        _h.Map.Offer(PipelineHarness.View(3, null), null);
        _h.Pass(PipelineHarness.Deadline);

        PipelineHarness.Failed<OutcomeUnknownException>(write);
    }

    [Fact]
    public async Task A_silent_sequencer_is_asked_whether_it_is_there_and_gets_nothing_meanwhile()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Pass(600);
        Assert.True(_h.Map.Find("a")!.Suspected);
        Assert.Contains(_h.Questions, q => q is ClusterViewRequest { Id: > 0 });

        var later = _h.Put("later");
        _h.Pass(PipelineHarness.Deadline);
        Assert.Single(_h.Requests);
        PipelineHarness.Failed<OutcomeUnknownException>(write);
        PipelineHarness.Failed<NotDoneException>(later);

        _h.Reached("a");
        _ = _h.Put("next");
        Assert.Equal((3, 3), (_h.Requests[^1].Request.Number, _h.Requests[^1].Request.LowWater));
    }

    [Fact]
    public async Task What_is_under_way_is_not_sent_again_while_its_connection_lives()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        while (_h.Now < PipelineHarness.Deadline)
        {
            // The node sends this and that, but nothing of what went behind the write.
            _h.Map.Find("a")!.Heard(_h.Now);
            _h.Pass(250);
        }

        Assert.Single(_h.Requests);
        _h.Answer(7, 2, WriteStatus.Done, uid: 9, from: "a");
        Assert.Equal(9, (await write).Uid);
    }

    [Fact]
    public async Task A_write_that_its_node_has_got_and_does_not_answer_is_sent_again()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k");
        _h.Pass(600);
        _h.Reached("a");
        _h.Pass(1_000);
        Assert.Single(_h.Requests);

        _h.Pass(1_000);

        Assert.Equal([2, 2], _h.Requests.Select(r => (int)r.Request.Number));
    }

    [Fact]
    public async Task After_its_connection_broke_a_write_is_sent_again_as_soon_as_the_node_is_heard()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k");
        _h.Map.Find("a")!.Lost();
        _h.Pass(400);
        Assert.Single(_h.Requests);
        Assert.NotEmpty(_h.Questions);

        _h.Reached("a");
        _h.Pass(Timing.Sweep);

        Assert.Equal([2, 2], _h.Requests.Select(r => (int)r.Request.Number));
    }

    [Fact]
    public async Task Large_values_wait_in_the_client_for_a_link_that_is_slow_and_not_for_one_that_is_quick()
    {
        await _h.OpenSessionAsync();
        for (var i = 0; i < 60; i++) _ = _h.Put($"k{i}", new string('x', 1_000_000));
        Assert.Equal(2, _h.Requests.Count);

        for (var i = 0; i < 10; i++)
        {
            _h.Now += Timing.Sluggish + 1;
            _h.Answer(7, 2 + i, WriteStatus.Done, from: "a");
            Assert.Equal(3 + i, _h.Requests.Count);
        }

        var (answered, most) = (10, 0);
        for (var round = 0; round < 30; round++)
        {
            _h.Pass(Timing.Brisk - Timing.Sweep);
            var sent = _h.Requests.Count;
            most = Math.Max(most, sent - answered);
            while (answered < sent) _h.Answer(7, 2 + answered++, WriteStatus.Done, from: "a");
        }

        Assert.InRange(most, 5, Timing.WindowMost / 1_000_000 + 1);
        Assert.Equal(Enumerable.Range(2, 60).Select(n => (long)n), _h.Requests.Select(r => r.Request.Number));
    }

    [Fact]
    public async Task Messages_keep_to_the_frame_of_the_nodes()
    {
        var view = PipelineHarness.View(2, "a");
        _h.Map.Offer(view with { FrameBytes = ClientLimits.FrameBytesLeast, MaxWriteBytes = 32 * 1024 }, null);
        await _h.OpenSessionAsync();
        for (var i = 0; i < 60; i++) _ = _h.Put($"k{i}", new string('x', 20_000));
        for (var i = 0; i < 60; i++) _h.Answer(7, 2 + i, WriteStatus.Done, from: "a");

        Assert.Equal(60, _h.Requests.Count);
        Assert.All(_h.Sent, s => Assert.InRange(
            ClientCodec.Encode(s.Message).Length, 1, ClientLimits.FrameBytesLeast - ClientLimits.FrameOverhead));
    }

    [Fact]
    public void What_fits_no_frame_of_the_nodes_is_refused_before_it_travels()
    {
        const int mib = 1024 * 1024;
        var view = PipelineHarness.View(1, "a") with
        {
            MaxValueBytes = 6 * mib,
            MaxWriteBytes = 8 * mib,
            FrameBytes = 16 * mib,
        };
        Assert.Null(Limits.Broken([new(OperationKind.Put, "k", new byte[6 * mib])], view, out _));
        Assert.NotNull(Limits.Broken([new(OperationKind.Put, "k", new byte[6 * mib + 1])], view, out _));
        Assert.NotNull(Limits.Broken(
            [new(OperationKind.Put, "k", new byte[5 * mib]), new(OperationKind.Put, "l", new byte[5 * mib])],
            view, out _));

        var small = view with { FrameBytes = ClientLimits.FrameBytesLeast };
        Key[] keys = [.. Enumerable.Range(0, 1000).Select(i => (Key)new string('k', 100))];
        Assert.Null(Limits.Broken(keys, ReadConsistency.Linearizable, view));
        Assert.NotNull(Limits.Broken(keys, ReadConsistency.Linearizable, small));

        // Nodes that do not say what they take have the default.
        var old = new RouteTable(PipelineHarness.View(1, "a") with { MaxValueBytes = 6_000_000 }, []).View;
        Assert.NotNull(Limits.Broken([new(OperationKind.Put, "k", new byte[ClientLimits.WriteBytes])], old, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_is_faster_than_the_call_leaves_nothing_at_its_token(bool isWrite)
    {
        await _h.OpenSessionAsync();
        var send = _h.Send;
        _h.Send = (to, message) =>
        {
            send(to, message);
            if (message is WriteBatch batch) _h.Answer(7, batch.Requests[0].Number, WriteStatus.Done);
            else _h.AnswerRead(((ReadBatch)message).Reads[0].Id, ReadStatus.Done);
        };
        using var lasting = new CancellationTokenSource();
        var call = Call();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(call.IsAlive);
        GC.KeepAlive(lasting);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Call()
        {
            Task made = isWrite ? _h.Put("k", cancellation: lasting.Token) : _h.Get("k", lasting.Token);
            Assert.True(made.IsCompletedSuccessfully);
            return new WeakReference(made);
        }
    }

    [Fact]
    public async Task Without_a_sequencer_writes_wait_and_end_as_not_done()
    {
        await _h.OpenSessionAsync();
        _h.Map.Offer(PipelineHarness.View(2, null), null);
        var write = _h.Put("k");
        _h.Pass(1_000);
        Assert.True(_h.Questions.Count >= 10);
        Assert.Empty(_h.Sent);

        _h.Pass(PipelineHarness.Deadline);

        var e = PipelineHarness.Failed<NotDoneException>(write);
        Assert.Contains("no node leads", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirected_write_goes_to_the_new_sequencer_at_once_under_the_same_number()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, WriteStatus.NotSequencer, view: PipelineHarness.View(2, "b"), from: "a");

        Assert.Equal([("a", 2), ("b", 2)], _h.Requests.Select(r => (r.To, (int)r.Request.Number)));
        _h.Answer(7, 2, WriteStatus.Done, uid: 99, from: "b");
        Assert.Equal(99, (await write).Uid);
    }

    [Fact]
    public async Task Nodes_that_disagree_about_the_sequencer_are_not_flooded()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k");
        for (var i = 0; i < 500; i++)
        {
            _h.Answer(7, 2, WriteStatus.NotSequencer, view: PipelineHarness.View(2, null), from: _h.Requests[^1].To);
            _h.Map.Offer(PipelineHarness.View(2, "b"), _h.Map.Find("a"));
        }

        Assert.InRange(_h.Requests.Count, 1, 2);
        _h.Pass(1_000);
        Assert.InRange(_h.Requests.Count, 2, 10);
        Assert.Equal("b", _h.Requests[^1].To);
    }

    [Fact]
    public async Task A_new_view_moves_unanswered_writes_to_its_sequencer()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k1");
        _ = _h.Put("k2");
        _h.Map.Offer(PipelineHarness.View(2, "c"), null);

        Assert.Equal([("a", 2), ("a", 3), ("c", 2), ("c", 3)], _h.Requests.Select(r => (r.To, (int)r.Request.Number)));
    }

    [Theory]
    [InlineData(WriteStatus.Invalid, typeof(InvalidRequestException))]
    [InlineData(WriteStatus.Expired, typeof(OutcomeUnknownException))]
    public async Task Refusals_for_good_end_the_call(WriteStatus status, Type exception)
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, status);

        await Assert.ThrowsAsync(exception, () => write);
        _ = _h.Put("k2");
        Assert.Equal(3, _h.Requests[^1].Request.LowWater);
    }

    [Fact]
    public async Task Closing_fails_each_write_by_what_is_known_of_it()
    {
        await _h.OpenSessionAsync();
        var sent = _h.FillTheAir();
        var waiting = _h.Put("waiting");
        _h.Writes.Close("the client was closed.");

        foreach (var write in sent) PipelineHarness.Failed<OutcomeUnknownException>(write);
        PipelineHarness.Failed<NotDoneException>(waiting);
        Assert.Throws<ObjectDisposedException>(() => { _ = _h.Put("late"); });
    }
}
