using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Writes;

namespace RecoverKV.Specs.Client;

public sealed class WritePipelineSpecs
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
        h.Writes.Receive(new WriteReplies([.. Enumerable.Range(2, 3).Select(n => new WriteAnswer(7, n, WriteStatus.Done, n, [null]))]), null);

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
    public async Task A_silent_sequencer_gets_the_same_number_again_and_the_view_is_asked_for()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Pass(600);

        Assert.Equal([2, 2], _h.Requests.Select(r => (int)r.Request.Number));
        Assert.Contains(_h.Questions, q => q is ClusterViewRequest);

        _h.Pass(PipelineHarness.Deadline);
        PipelineHarness.Failed<OutcomeUnknownException>(write);

        _ = _h.Put("next");
        Assert.Equal((3, 3), (_h.Requests[^1].Request.Number, _h.Requests[^1].Request.LowWater));
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
