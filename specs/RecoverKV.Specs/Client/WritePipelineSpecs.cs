using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Writes;

namespace RecoverKV.Specs.Client;

public sealed class WritePipelineSpecs
{
    private readonly PipelineHarness _h = new();

    [Fact]
    public async Task The_first_write_opens_a_session_and_goes_under_number_one()
    {
        var write = _h.Put("k");

        var (to, opening) = Assert.Single(_h.Requests);
        Assert.Equal("a", to);
        Assert.Equal(0, opening.Session);
        Assert.True(opening.Number > 0);
        Assert.Empty(opening.Operations);

        _h.Answer(0, opening.Number, WriteStatus.Done, uid: 41);
        var request = _h.Requests[1].Request;
        Assert.Equal((41, 1, 1), (request.Session, request.Number, request.LowWater));

        _h.Answer(41, 1, WriteStatus.Done, uid: 42);
        Assert.Equal(42, (await write).Uid);
    }

    [Fact]
    public void The_opening_request_is_repeated_under_the_same_number_and_its_late_second_answer_is_ignored()
    {
        _ = _h.Put("k");
        _h.Pass(600);
        Assert.Equal(2, _h.Requests.Count);
        Assert.Equal(_h.Requests[0].Request.Number, _h.Requests[1].Request.Number);

        _h.Answer(0, _h.Requests[0].Request.Number, WriteStatus.Done, uid: 41);
        _h.Answer(0, _h.Requests[0].Request.Number, WriteStatus.Done, uid: 43);
        _ = _h.Put("k2");

        Assert.All(_h.Requests.Skip(2), r => Assert.Equal(41, r.Request.Session));
    }

    [Fact]
    public async Task Calls_that_come_while_messages_are_unanswered_go_together()
    {
        await _h.OpenSessionAsync();
        var calls = Enumerable.Range(0, 100).Select(i => _h.Put($"k{i}")).ToArray();

        Assert.Equal(Timing.Flights, _h.Sent.Count);
        _h.Answer(7, 2, WriteStatus.Done);

        Assert.Equal(Timing.Flights + 1, _h.Sent.Count);
        Assert.Equal(100, _h.Requests.Count);
        Assert.Equal(Enumerable.Range(2, 100).Select(n => (long)n), _h.Requests.Select(r => r.Request.Number));
        Assert.Equal("k99", _h.Requests[^1].Request.Operations[0].Key.ToString());
        Assert.Equal(1, calls.Count(c => c.IsCompleted));
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
        for (var i = 0; i < Timing.Flights + 1; i++) _ = _h.Put($"k{i}");
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
    public async Task Low_water_is_the_lowest_number_without_an_answer()
    {
        await _h.OpenSessionAsync();
        for (var i = 0; i < 3; i++) _ = _h.Put($"k{i}");
        _h.Answer(7, 3, WriteStatus.Done);
        _h.Answer(7, 4, WriteStatus.Done);
        _ = _h.Put("k3");
        Assert.Equal((5, 2), (_h.Requests[^1].Request.Number, _h.Requests[^1].Request.LowWater));

        _h.Answer(7, 2, WriteStatus.Done);
        _ = _h.Put("k4");

        Assert.Equal((6, 5), (_h.Requests[^1].Request.Number, _h.Requests[^1].Request.LowWater));
    }

    [Fact]
    public async Task No_number_goes_beyond_the_window_of_the_lowest_open_one()
    {
        await _h.OpenSessionAsync();
        for (var i = 0; i < 3_000; i++) _ = _h.Put($"k{i}");
        for (var number = 3; number <= 2_000; number++) _h.Answer(7, number, WriteStatus.Done);
        Assert.Equal(1 + SessionWindow.Size, _h.Requests.Max(r => r.Request.Number));

        _h.Answer(7, 2, WriteStatus.Done);

        Assert.True(_h.Requests.Max(r => r.Request.Number) > 1 + SessionWindow.Size);
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

        await Assert.ThrowsAsync<NotDoneException>(() => write);
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

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => write);
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
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => write);

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

        var e = await Assert.ThrowsAsync<NotDoneException>(() => write);
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

    [Fact]
    public async Task A_forgotten_session_is_replaced_for_writes_of_which_one_copy_was_sent()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Answer(7, 2, WriteStatus.SessionUnknown);

        Assert.Equal(0, _h.Requests[^1].Request.Session);
        _h.Answer(0, _h.Requests[^1].Request.Number, WriteStatus.Done, uid: 50);
        var again = _h.Requests[^1].Request;
        Assert.Equal((50, 1, "k"), (again.Session, again.Number, again.Operations[0].Key.ToString()));

        _h.Answer(50, 1, WriteStatus.Done, uid: 51);
        Assert.Equal(51, (await write).Uid);
    }

    [Fact]
    public async Task A_forgotten_session_leaves_the_outcome_unknown_if_two_copies_were_sent()
    {
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Pass(600);
        Assert.Equal(2, _h.Requests.Count);
        _h.Answer(7, 2, WriteStatus.SessionUnknown);

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => write);
    }

    [Fact]
    public async Task A_refused_copy_of_a_forgotten_session_goes_on_under_the_next()
    {
        await _h.OpenSessionAsync();
        _ = _h.Put("k1");
        _ = _h.Put("k2");
        _h.Answer(7, 2, WriteStatus.Busy);
        _h.Answer(7, 3, WriteStatus.SessionUnknown);
        _h.Pass(20);
        _h.Answer(0, _h.Requests[^1].Request.Number, WriteStatus.Done, uid: 50);

        Assert.Equal([(50, "k1"), (50, "k2")],
            _h.Requests.TakeLast(2).Select(r => ((int)r.Request.Session, r.Request.Operations[0].Key.ToString())));
    }

    [Fact]
    public async Task A_write_cancelled_while_it_waits_is_never_sent()
    {
        await _h.OpenSessionAsync();
        for (var i = 0; i < Timing.Flights; i++) _ = _h.Put($"k{i}");
        using var cancel = new CancellationTokenSource();
        var write = _h.Put("cancelled", cancellation: cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        _ = _h.Put("after");
        _h.Answer(7, 2, WriteStatus.Done);
        Assert.Equal(["after"], _h.Requests.Skip(Timing.Flights).Select(r => r.Request.Operations[0].Key.ToString()));
    }

    [Fact]
    public async Task A_write_cancelled_under_way_holds_the_low_water_mark_until_its_answer()
    {
        await _h.OpenSessionAsync();
        using var cancel = new CancellationTokenSource();
        var write = _h.Put("cancelled", cancellation: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);

        _ = _h.Put("k");
        Assert.Equal(2, _h.Requests[^1].Request.LowWater);
        _h.Answer(7, 2, WriteStatus.Done);
        _ = _h.Put("k");
        Assert.Equal(3, _h.Requests[^1].Request.LowWater);
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
        var sent = Enumerable.Range(0, Timing.Flights).Select(i => _h.Put($"k{i}")).ToArray();
        var waiting = _h.Put("waiting");
        _h.Writes.Close("the client was closed.");

        foreach (var write in sent) await Assert.ThrowsAsync<OutcomeUnknownException>(() => write);
        await Assert.ThrowsAsync<NotDoneException>(() => waiting);
        Assert.Throws<ObjectDisposedException>(() => { _ = _h.Put("late"); });
    }
}
