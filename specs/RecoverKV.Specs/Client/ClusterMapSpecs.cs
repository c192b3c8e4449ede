using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ClusterMapSpecs
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
