using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ReadPipelineSpec
{
    private readonly PipelineHarness _h = new();

    [Fact]
    public async Task Reads_are_spread_over_the_in_sync_nodes()
    {
        _h.Map.Offer(PipelineHarness.View(2, "a", "a", "c"), null);
        for (var i = 0; i < 6; i++)
        {
            var read = _h.Get("k");
            _h.AnswerRead(_h.SentReads[^1].Read.Id, ReadStatus.Done);
            Assert.Equal("v", (await read).Text);
        }

        Assert.Equal(["a", "a", "a", "c", "c", "c"], _h.SentReads.Select(s => s.To).Order());
    }

    [Fact]
    public void Few_reads_at_once_go_to_one_node_and_many_to_all()
    {
        for (var i = 0; i < Timing.MessageFew; i++) _ = _h.Get($"k{i}");
        Assert.Single(_h.SentReads.Select(s => s.To).Distinct());
        for (var i = 0; i < 100; i++) _ = _h.Get($"more{i}");
        Assert.Equal(3, _h.SentReads.Select(s => s.To).Distinct().Count());
    }

    [Fact]
    public void Calls_that_come_while_messages_are_unanswered_go_together()
    {
        for (var i = 0; i < 300; i++) _ = _h.Get($"k{i}");
        Assert.True(_h.Sent.Count <= 3 * Timing.Flights, $"{_h.Sent.Count} messages");

        foreach (var (to, read) in _h.SentReads.ToList()) _h.AnswerRead(read.Id, ReadStatus.Done, from: to);

        Assert.True(_h.Sent.Count <= 6 * Timing.Flights, $"{_h.Sent.Count} messages");
        Assert.Equal(300, _h.SentReads.Count);
        Assert.Equal(300, _h.SentReads.Select(s => s.Read.Id).Distinct().Count());
    }

    [Fact]
    public async Task Answers_may_come_in_any_order_and_twice()
    {
        var reads = Enumerable.Range(0, 10).Select(i => _h.Get($"k{i}")).ToArray();
        // Those that waited for the first answers come with the second round, and are answered twice in the third.
        for (var round = 0; round < 3; round++)
        {
            foreach (var (_, read) in Enumerable.Reverse(_h.SentReads))
                _h.AnswerRead(read.Id, ReadStatus.Done, read.Keys[0].ToString());
        }

        Assert.All(reads, read => Assert.True(read.IsCompleted));
        for (var i = 0; i < 10; i++) Assert.Equal($"k{i}", (await reads[i]).Text);
    }

    [Fact]
    public async Task A_node_that_is_not_alive_is_left_for_another_at_once()
    {
        var read = _h.Get("k");
        var first = _h.SentReads[0];
        _h.AnswerRead(first.Read.Id, ReadStatus.NotAlive, from: first.To);

        Assert.Equal(2, _h.SentReads.Count);
        Assert.NotEqual(first.To, _h.SentReads[1].To);
        for (var i = 0; i < 3; i++) _ = _h.Get("others");
        Assert.DoesNotContain(first.To, _h.SentReads.Skip(1).Select(s => s.To));

        _h.AnswerRead(first.Read.Id, ReadStatus.Done, from: _h.SentReads[1].To);
        Assert.Equal("v", (await read).Text);
    }

    [Fact]
    public void While_no_node_is_alive_reads_pause_and_end_as_not_done()
    {
        var read = _h.Get("k");
        for (var i = 0; i < 100; i++)
        {
            var last = _h.SentReads[^1];
            _h.AnswerRead(last.Read.Id, ReadStatus.NotAlive, from: last.To);
        }

        Assert.Equal(3, _h.SentReads.Count);
        _h.Pass(PipelineHarness.Deadline);
        PipelineHarness.Failed<NotDoneException>(read);
    }

    [Fact]
    public void A_silent_node_is_suspected_until_it_is_heard()
    {
        _ = _h.Get("k");
        var silent = _h.SentReads[0].To;
        _h.Pass(300);
        Assert.NotEqual(silent, _h.SentReads[1].To);
        Assert.True(_h.Map.Find(silent)!.Suspected);
        for (var i = 0; i < 6; i++) _ = _h.Get("others");
        Assert.DoesNotContain(silent, _h.SentReads.Skip(1).Select(s => s.To));

        _h.Map.Find(silent)!.Heard(_h.Now);
        for (var i = 0; i < 100; i++) _ = _h.Get("others");
        Assert.Contains(silent, _h.SentReads.Skip(1).Select(s => s.To));
    }

    [Fact]
    public void Reads_on_a_broken_connection_move_at_once()
    {
        for (var i = 0; i < 60; i++) _ = _h.Get($"k{i}");
        var route = _h.Map.Find("b")!;
        var lost = _h.SentReads.Where(s => s.To == "b").Select(s => s.Read.Id).ToList();
        Assert.NotEmpty(lost);

        route.Suspect();
        _h.Reads.Lost(route);
        _h.Pass(Timing.FlightMost * 2);

        Assert.All(lost, id => Assert.Contains(_h.SentReads, s => s.Read.Id == id && s.To != "b"));
        Assert.Equal(60, _h.SentReads.Where(s => s.To != "b").Select(s => s.Read.Id).Distinct().Count());
    }

    [Fact]
    public async Task An_answer_that_does_not_fit_ends_the_call_and_harms_no_other()
    {
        var read = _h.Get("k");
        var other = _h.Get("other");
        var answers = new[] { new ReadAnswer(1, ReadStatus.Done, []), new ReadAnswer(99, ReadStatus.Done, []) };
        _h.Reads.Receive(new ReadReplies(answers), null);
        _h.AnswerRead(2, ReadStatus.Done);

        PipelineHarness.Failed<NotDoneException>(read);
        Assert.Equal("v", (await other).Text);
    }

    [Fact]
    public void Large_answers_are_asked_for_a_few_at_a_time_and_not_once_more_while_they_come()
    {
        _ = _h.Get("first");
        _h.AnswerRead(_h.SentReads[0].Read.Id, ReadStatus.Done, new string('x', 1_000_000), _h.SentReads[0].To);
        for (var i = 0; i < 30; i++) _ = _h.Get($"k{i}");
        _h.Pass(Timing.FlightMost * 4);
        Assert.Equal([2, 2, 2], _h.SentReads.Skip(1).GroupBy(s => s.To).Select(g => g.Count()));

        _h.Pass(2_000);
        Assert.Equal(7, _h.SentReads.Count);

        foreach (var (to, read) in _h.SentReads.Skip(1).ToList())
            _h.AnswerRead(read.Id, ReadStatus.Done, new string('x', 1_000_000), to);
        _h.Pass(Timing.FlightMost * 4);
        Assert.Equal(13, _h.SentReads.Select(s => s.Read.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_node_of_another_store_is_left_for_the_others()
    {
        var (own, other) = (Guid.NewGuid(), Guid.NewGuid());
        _h.Map.Offer(PipelineHarness.View(2, "a") with { Cluster = own }, null);
        var read = _h.Get("k");
        var (to, first) = _h.SentReads[0];
        Assert.Equal(own, Assert.IsType<ReadBatch>(_h.Sent[0].Message).Cluster);
        _h.Map.Offer(PipelineHarness.View(9, to) with { Cluster = other }, _h.Map.Find(to));
        _h.AnswerRead(first.Id, ReadStatus.OtherStore, from: to);

        Assert.Equal(2, _h.SentReads.Count);
        for (var i = 0; i < 100; i++) _ = _h.Get("others");
        _h.Pass(Timing.FlightMost * 2);
        Assert.DoesNotContain(to, _h.SentReads.Skip(1).Select(s => s.To));
        _h.AnswerRead(first.Id, ReadStatus.Done, from: _h.SentReads[1].To);
        Assert.Equal("v", (await read).Text);
    }

    [Fact]
    public async Task A_cancelled_read_is_not_asked_again()
    {
        using var cancel = new CancellationTokenSource();
        var read = _h.Get("k", cancel.Token);
        await cancel.CancelAsync();
        _h.Pass(1_000);

        Assert.True(read.IsCanceled);
        Assert.Single(_h.SentReads);
    }
}
