using Akka.Actor;
using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ClusterMapSpec
{
    private readonly PipelineHarness _h = new();

    [Fact]
    public void A_view_of_a_lower_epoch_is_not_taken()
    {
        _h.Map.Offer(PipelineHarness.View(3, "b"), null);
        _h.Map.Offer(PipelineHarness.View(2, "c"), null);

        Assert.Equal("b", _h.Map.Table!.Sequencer!.Node);
    }

    [Fact]
    public void Of_one_epoch_only_the_sequencer_itself_takes_its_leadership_away()
    {
        _h.Map.Offer(PipelineHarness.View(1, null, "a", "b"), _h.Map.Find("c"));
        Assert.Equal("a", _h.Map.Table!.Sequencer!.Node);
        Assert.Equal(["a", "b"], _h.Map.Table!.InSync.Select(n => n.Node));

        _h.Map.Offer(PipelineHarness.View(1, null), _h.Map.Find("a"));
        Assert.Null(_h.Map.Table!.Sequencer);
    }

    [Fact]
    public void Routes_outlive_views_and_change_with_the_address()
    {
        var (a, b) = (_h.Map.Find("a"), _h.Map.Find("b"));
        var moved = PipelineHarness.View(2, "a");
        moved = moved with { Nodes = [moved.Nodes[0], moved.Nodes[1] with { Port = 6000 }, moved.Nodes[2]] };
        _h.Map.Offer(moved, null);

        Assert.Same(a, _h.Map.Find("a"));
        Assert.NotSame(b, _h.Map.Find("b"));
        Assert.True(b!.Suspected);
    }

    [Fact]
    public void A_view_that_cannot_be_used_is_not_taken()
    {
        var good = PipelineHarness.View(2, "b");
        var bad = new[]
        {
            good with { Nodes = [] },
            good with { Epoch = -1 },
            good with { MaxKeyBytes = 0 },
            good with { FrameBytes = 1000, MaxWriteBytes = 500 },
            good with { FrameBytes = -1, MaxWriteBytes = 500 },
            good with { FrameBytes = 1_000_000, MaxWriteBytes = 0 },
            good with { Nodes = [good.Nodes[0], good.Nodes[0]] },
            good with { Nodes = [good.Nodes[0] with { Port = 70_000 }] },
            good with { Nodes = [good.Nodes[0] with { Host = "a b/c" }] },
            good with { Nodes = [good.Nodes[0] with { Node = "" }] },
        };
        foreach (var view in bad) _h.Map.Offer(view, null);
        Assert.Equal("a", _h.Map.Table!.Sequencer!.Node);

        _h.Map.Offer(good with { Nodes = [.. good.Nodes.Select(n => n with { Host = "node_1.example.org" })] }, null);
        Assert.Equal("b", _h.Map.Table!.Sequencer!.Node);
    }

    [Fact]
    public void The_first_id_of_a_store_stays_and_a_node_of_another_store_is_not_used_until_it_is_back()
    {
        var (own, other) = (Guid.NewGuid(), Guid.NewGuid());
        _h.Map.Offer(PipelineHarness.View(2, "a") with { Cluster = own }, null);
        _h.Map.Offer(PipelineHarness.View(3, "b"), null);
        Assert.Equal((own, "b"), (_h.Map.Table!.View.Cluster, _h.Map.Table.Sequencer!.Node));

        _h.Map.Offer(PipelineHarness.View(8, "c") with { Cluster = other }, _h.Map.Find("c"));
        Assert.Equal("b", _h.Map.Table!.Sequencer!.Node);
        Assert.True(_h.Map.Find("c")!.IsStranger);
        Assert.False(_h.Map.Find("c")!.AnswersReads(_h.Now));
        Assert.Null(_h.Map.Replaced);
        _h.Questions.Clear();
        _h.Pass(Timing.Probe);
        Assert.NotEmpty(_h.Questions);

        _h.Map.Offer(PipelineHarness.View(3, "b") with { Cluster = own }, _h.Map.Find("c"));
        Assert.False(_h.Map.Find("c")!.IsStranger);
    }

    [Fact]
    public async Task Once_most_nodes_are_of_another_store_calls_end_and_say_so_until_they_are_back()
    {
        var (own, other) = (Guid.NewGuid(), Guid.NewGuid());
        _h.Map.Offer(PipelineHarness.View(5, "a") with { Cluster = own }, null);
        await _h.OpenSessionAsync();
        var sent = _h.FillTheAir();
        var (waiting, read) = (_h.Put("waiting"), _h.Get("k"));
        // Its epochs are lower: it is new.
        foreach (var node in new[] { "a", "b" })
            _h.Map.Offer(PipelineHarness.View(1, "b") with { Cluster = other }, _h.Map.Find(node));
        _h.Answer(7, 2, WriteStatus.OtherStore, from: "a");
        _h.Pass(Timing.Sweep);

        var refused = PipelineHarness.Failed<NotDoneException>(sent[0]);
        Assert.EndsWith(
            $"is another one than this client was connected to (store {own}, now {other}): connect anew.",
            refused.Message, StringComparison.Ordinal);
        foreach (var write in sent.Skip(1)) PipelineHarness.Failed<OutcomeUnknownException>(write);
        PipelineHarness.Failed<NotDoneException>(waiting);
        PipelineHarness.Failed<NotDoneException>(read);
        var later = _h.Put("later");
        _h.Pass(Timing.Sweep);
        PipelineHarness.Failed<NotDoneException>(later);

        foreach (var node in new[] { "a", "b" })
            _h.Map.Offer(PipelineHarness.View(6, "a") with { Cluster = own }, _h.Map.Find(node));
        _h.Sent.Clear();
        _ = _h.Put("again");
        Assert.Equal((0, own), (_h.Requests[0].Request.Session, ((WriteBatch)_h.Sent[0].Message).Cluster));
    }

    [Fact]
    public async Task What_was_sent_twice_stays_unknown_when_the_store_is_another_one()
    {
        _h.Map.Offer(PipelineHarness.View(5, "a") with { Cluster = Guid.NewGuid() }, null);
        await _h.OpenSessionAsync();
        var write = _h.Put("k");
        _h.Reconnect("a");
        Assert.Equal(2, _h.Requests.Count);
        var other = Guid.NewGuid();
        foreach (var node in new[] { "a", "b", "c" })
            _h.Map.Offer(PipelineHarness.View(1, "a") with { Cluster = other }, _h.Map.Find(node));
        _h.Answer(7, 2, WriteStatus.OtherStore, from: "a");
        _h.Pass(Timing.Sweep);

        PipelineHarness.Failed<OutcomeUnknownException>(write);
    }

    [Fact]
    public void A_store_that_was_made_anew_is_told_from_one_that_got_an_id()
    {
        var id = Guid.NewGuid();
        _h.Map.Offer(PipelineHarness.View(5, "a"), null);
        _h.Map.Offer(PipelineHarness.View(2, "b") with { Cluster = id }, _h.Map.Find("b"));
        Assert.True(_h.Map.Find("b")!.IsStranger);

        _h.Map.Offer(PipelineHarness.View(6, "c") with { Cluster = id }, _h.Map.Find("c"));
        Assert.Equal((id, "c"), (_h.Map.Table!.View.Cluster, _h.Map.Table.Sequencer!.Node));
    }

    [Fact]
    public void While_it_looks_for_the_cluster_a_client_takes_the_store_that_is_led()
    {
        var (stranger, led) = (Guid.NewGuid(), Guid.NewGuid());
        var map = new ClusterMap((_, _) => { }, () => 1, new Random(1)) { Choosing = true };
        map.Offer(PipelineHarness.View(9, null) with { Cluster = stranger }, null);
        map.Offer(PipelineHarness.View(2, "b") with { Cluster = led }, null);
        Assert.Equal(led, map.Table!.View.Cluster);

        map.Offer(PipelineHarness.View(9, "a") with { Cluster = stranger }, map.Find("a"));
        Assert.Equal(led, map.Table!.View.Cluster);
    }

    [Fact]
    public void Silent_nodes_are_probed_and_a_quiet_client_still_learns_of_new_views()
    {
        _h.Pass(5_000);
        Assert.InRange(_h.Questions.Count, 3, 6);
        _h.Questions.Clear();

        _h.Map.Find("b")!.Suspect();
        _h.Pass(5_000);
        Assert.InRange(_h.Questions.Count, 15, 30);
    }
}
