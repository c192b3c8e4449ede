using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Writes;

namespace RecoverKV.Specs.Client;

public sealed class WriteSessionSpec
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
        _h.Reconnect("a");
        Assert.Equal(2, _h.Requests.Count);
        Assert.Equal(_h.Requests[0].Request.Number, _h.Requests[1].Request.Number);

        _h.Answer(0, _h.Requests[0].Request.Number, WriteStatus.Done, uid: 41);
        _h.Answer(0, _h.Requests[0].Request.Number, WriteStatus.Done, uid: 43);
        _ = _h.Put("k2");

        Assert.All(_h.Requests.Skip(2), r => Assert.Equal(41, r.Request.Session));
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
        _h.Reconnect("a");
        Assert.Equal(2, _h.Requests.Count);
        _h.Answer(7, 2, WriteStatus.SessionUnknown);

        PipelineHarness.Failed<OutcomeUnknownException>(write);
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
        var sent = _h.FillTheAir();
        using var cancel = new CancellationTokenSource();
        var write = _h.Put("cancelled", cancellation: cancel.Token);
        await cancel.CancelAsync();

        Assert.True(write.IsCanceled);
        _ = _h.Put("after");
        _h.Answer(7, 2, WriteStatus.Done);
        Assert.Equal(["after"], _h.Requests.Skip(sent.Count).Select(r => r.Request.Operations[0].Key.ToString()));
    }

    [Fact]
    public async Task A_write_cancelled_under_way_holds_the_low_water_mark_until_its_answer()
    {
        await _h.OpenSessionAsync();
        using var cancel = new CancellationTokenSource();
        var write = _h.Put("cancelled", cancellation: cancel.Token);
        await cancel.CancelAsync();
        Assert.True(write.IsCanceled);

        _ = _h.Put("k");
        Assert.Equal(2, _h.Requests[^1].Request.LowWater);
        _h.Answer(7, 2, WriteStatus.Done);
        _ = _h.Put("k");
        Assert.Equal(3, _h.Requests[^1].Request.LowWater);
    }
}
