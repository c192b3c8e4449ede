using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R12: whose data it is, who is spoken to, and what all nodes must agree on.</summary>
public sealed class IdentitySpec
{
    private static readonly Guid Own = new("11111111-0000-0000-0000-000000000000");
    private static readonly Guid Other = new("22222222-0000-0000-0000-000000000000");
    private static readonly View Ours = View1() with { Cluster = Own };

    private static readonly PeerMessage[] Anything =
    [
        new Canvass(E(9), E(0), E(8)), new CanvassReply(E(2), true, E(8)), new RequestPromise(E(9), E(0)),
        new RequestPromise(E(9), E(1)), Promise(9, View1(), 9, 9), new Refuse(E(1), E(8)), new Handover(E(1)),
        new Synchronize(E(9), View1(), U(9), Node(1)), new Synchronized(E(1), U(9)),
        new InstallView(View(9, 1, 3, [1, 2, 3], (9, 1))), new AcceptedView(E(1)), new ViewWanted(E(1)),
        new TailLost(E(1), Member(2), U(9)), new Leaving(E(1), 1), Append(1, 1, 2), Append(9, 1, 2), Appended(1, 9),
        new Commit(E(1), U(9)), Beat(1, committed: 9), Beat(9), new HeartbeatAck(E(1), 1, 1, Ms(1), U(9), U(9)),
        new Fetch(E(1), 1, Range(1, 9)), new Entries(E(1), 1, [Batch(1, 1, 2)]),
    ];

    private static Header From(CoreKit kit, int node, int incarnation = 9) =>
        kit.Core.HeaderTo(kit.Core.Options.Self.Node) with { From = Member(node, incarnation) };

    [Fact]
    public void R12_nothing_that_another_store_says_counts_and_both_sides_name_it()
    {
        foreach (var message in Anything)
        {
            var kit = Follower(2, log: 3, view: Ours);
            var (promised, contiguous) = (kit.Core.PromisedEpoch, kit.Core.Contiguous);
            var effects = kit.Receive(From(kit, 1) with { Cluster = Other }, message);
            var warning = Assert.IsType<Effect.Warning>(effects[0]).Text;
            Assert.Equal(
                "n1#0000 is of store 22222222, n2#0000 of store 11111111: the folder or an address of one of them is "
                + "another store's, and they take no part in each other",
                warning.Replace("00000001", "0000").Replace("00000002", "0000"));
            effects[1..].Exactly(To(1, new Hello([])));
            Assert.Equal(warning, kit.Core.Reason(kit.Now));
            Assert.Equal(
                (promised, contiguous, U(0)), (kit.Core.PromisedEpoch, kit.Core.Contiguous, kit.Core.Applied));
        }
    }

    [Fact]
    public void R12_the_operator_and_the_peer_are_told_now_and_then_and_not_at_every_message()
    {
        var kit = Follower(2, view: Ours);
        var header = From(kit, 1) with { Cluster = Other };
        var effects = new List<Effect>();
        for (var passed = 0; passed < 90_000; passed += 100)
        {
            kit.Later(100);
            effects.AddRange(kit.Receive(header, Beat(1)));
        }

        Assert.Equal(2, effects.OfType<Effect.Warning>().Count());
        Assert.InRange(effects.OfType<Effect.Send>().Count(), 80, 90);
        kit.Later(3001);
        Assert.Null(kit.Core.Reason(kit.Now));
    }

    [Fact]
    public void R12_a_peer_that_is_right_again_is_no_longer_named()
    {
        var kit = Follower(2, view: Ours);
        kit.Receive(From(kit, 1) with { Cluster = Other }, Beat(1));
        Assert.NotNull(kit.Core.Reason(kit.Now));
        kit.Receive(1, Beat(1));
        Assert.Null(kit.Core.Reason(kit.Now));
    }

    [Fact]
    public void R12_a_message_for_another_node_is_refused()
    {
        foreach (var message in Anything)
        {
            var kit = Follower(2, log: 3, view: Ours);
            var effects = kit.Receive(From(kit, 1, 0) with { To = Node(3) }, message);
            Assert.Contains("takes this node, n2, for n3", Assert.IsType<Effect.Warning>(effects[0]).Text);
            effects[1..].Exactly(To(1, new Hello([])));
        }
    }

    [Fact]
    public void R12_a_message_of_another_version_or_of_one_with_the_same_name_is_refused()
    {
        var kit = Follower(2, view: Ours);
        Assert.Contains(
            "version 1",
            Assert.IsType<Effect.Warning>(kit.Receive(From(kit, 1, 0) with { Version = 1 }, new Unreadable())[0]).Text);
        Assert.Contains(
            "has the name of this one",
            Assert.IsType<Effect.Warning>(Assert.Single(kit.Receive(From(kit, 2), Beat(1)))).Text);
    }

    [Fact]
    public void R12_who_is_no_configured_node_gets_no_answer()
    {
        var kit = Follower(2, view: Ours);
        Assert.IsType<Effect.Warning>(Assert.Single(kit.Receive(From(kit, 77) with { Cluster = Other }, Beat(1))));
    }

    [Fact]
    public void R12_a_difference_of_settings_is_named_with_both_values_on_both_sides()
    {
        Setting[] mine = [new("recoverkv.frame-size", "4MiB")], others = [new("recoverkv.frame-size", "8MiB")];
        var kit = Follower(2, view: Ours, options: o => o with { Agreed = mine });
        var peer = Follower(1, view: Ours, options: o => o with { Agreed = others });

        // The first message only shows that something differs; the answer says what.
        var told = kit.Receive(peer.Core.HeaderTo(Node(2)), Beat(1));
        told.Exactly(To(1, new Hello(mine)));
        var answer = peer.Receive(kit.Core.HeaderTo(Node(1)), told.SentTo(1).Single());
        Assert.Equal("n2#0000 has recoverkv.frame-size = 4MiB, n1#0000 has 8MiB: it must be the same on all nodes",
            Assert.IsType<Effect.Warning>(answer[0]).Text.Replace("00000001", "0000").Replace("00000002", "0000"));
        var end = kit.Receive(peer.Core.HeaderTo(Node(2)), answer.SentTo(2).Single());
        Assert.Contains("has 4MiB", Assert.IsType<Effect.Warning>(Assert.Single(end)).Text);
        // Also while only data comes, which does not say it again.
        kit.Later(100);
        kit.Receive(peer.Core.HeaderTo(Node(2)), Beat(1)).Nothing();
        Assert.Contains("has 4MiB", kit.Core.Reason(kit.Now));
    }

    [Fact]
    public void R12_a_hello_without_a_difference_changes_nothing() =>
        Follower(2, view: Ours).Receive(1, new Hello([])).Nothing();

    [Fact]
    public void R12_the_first_view_makes_the_id_and_the_next_ones_hand_it_on()
    {
        var kit = CoreKit.Start(1, 3, [], o => o with { NewCluster = Own });
        kit.WaitFor(Sends<Canvass>);
        kit.Succeed(1, [Member(2), Member(3)], [Member(2), Member(3)], Actors.Protocol.View.None, 0);
        Assert.Equal(Own, kit.Core.View.Cluster);

        var next = CoreKit.Start(1, 3, Journal(Ours), o => o with { NewCluster = Other });
        next.WaitFor(Sends<Canvass>);
        next.Succeed(2, [Member(2), Member(3)], [Member(2), Member(3)], Ours, 0);
        Assert.Equal((E(2), Own), (next.Core.View.Epoch, next.Core.View.Cluster));
    }

    [Fact]
    public void R12_a_store_of_an_older_build_gets_its_id_by_the_next_view_and_its_members_follow()
    {
        var kit = CoreKit.Start(1, 3, Journal(View1()), o => o with { NewCluster = Own });
        kit.WaitFor(Sends<Canvass>);
        kit.Succeed(2, [Member(2)], [Member(2)], View1(), 0);
        Assert.Equal(Own, kit.Core.Cluster);

        // n3 was away, and knows no id.
        var member = Follower(3);
        var header = From(member, 1, 0) with { Cluster = Own };
        member.Receive(header, Beat(2)).Exactly(To(1, new ViewWanted(E(2))));
        kit.Receive(member.Core.HeaderTo(Node(1)), new ViewWanted(E(2))).Exactly(To(3, new InstallView(kit.Core.View)));
        member.Receive(header, new InstallView(kit.Core.View));
        Assert.Equal(Own, member.Core.Cluster);

        // Who is no member of it, with a log of its own and no id, is no part of it.
        var stranger = CoreKit.Start(
            3, 3,
            Journal(View(1, 1, 3, [1, 2, 3], (1, 1)) with { Members = [Member(1, 5), Member(2, 5), Member(3, 5)] }),
            incarnation: 5);
        Assert.IsType<Effect.Warning>(stranger.Receive(header, Beat(2))[0]);
        foreach (var claim in new PeerMessage[]
        {
            new Canvass(E(9), E(0), E(8)), new RequestPromise(E(9), E(0)), Promise(9, View1(), 0, 0)
        })
        {
            kit.Later(60_000);
            Assert.IsType<Effect.Warning>(kit.Receive(stranger.Core.HeaderTo(Node(1)), claim)[0]);
        }
    }

    [Fact]
    public void R12_a_new_folder_joins_the_store_that_finds_it()
    {
        var kit = CoreKit.Start(3, 3, [], incarnation: 1);
        var header = From(kit, 1, 0) with { Cluster = Own };
        kit.Receive(header, new InstallView(Ours with { InSync = [Node(1), Node(2)] }));
        Assert.Equal(Own, kit.Core.Cluster);
    }

    [Fact]
    public void R12_who_lost_its_data_makes_no_new_store()
    {
        // It knows its store by its folder, though the journal is new.
        var kit = CoreKit.Start(1, 3, [], o => o with { Cluster = Own });
        Assert.DoesNotContain(kit.Wait(3000), Sends<Canvass>);
        Assert.Contains("waits for a node that has store 11111111", kit.Core.Reason(kit.Now));
        // Neither with those that know of no store nor with those that lost the same one.
        var fresh = From(kit, 2) with { Cluster = Guid.Empty };
        kit.Receive(fresh, new Canvass(E(1), E(0), E(0))).Exactly(To(2, new CanvassReply(E(1), false, E(0))));
        Assert.DoesNotContain(kit.Receive(fresh, new RequestPromise(E(1), E(0))), e => e is Effect.Journal);
        // A node that has the data takes it in.
        kit.Receive(From(kit, 2), new InstallView(Ours with { Sequencer = Node(2), InSync = [Node(2), Node(3)] }));
        Assert.Equal(E(1), kit.Core.View.Epoch);
    }

    [Fact]
    public void R12_a_store_with_other_nodes_than_are_configured_takes_no_part_and_says_so()
    {
        var alone = CoreKit.Start(1, 3, Journal(View(4, 1, 1, [1], (1, 1)) with { Cluster = Own }, Batch(1, 1, 2)));
        Assert.Equal(
            "the data of n1 is of store 11111111, whose nodes are n1, but recoverkv.members has n1, n2, n3: a store's "
            + "nodes are fixed when it is made. Correct recoverkv.members, "
            + "or dump this store and load it into a new one",
            alone.Core.Reason(alone.Now));
        Assert.Equal(NodeMode.Zombie, alone.Mode);
        Assert.DoesNotContain(alone.Wait(5000), e => e is Effect.Send);
        foreach (var message in Anything)
        {
            alone.Later(2000);
            alone.Receive(2, message).Exactly(To(2, new Hello([])));
        }

        alone.Submit(Ann, R(3)).Exactly(Refuses(Ann, R(3), WriteStatus.NotSequencer));
        alone.Read(Ann, "k2").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R12_a_frame_size_below_that_of_the_store_is_refused()
    {
        var kit = Follower(2, view: Ours with { FrameSize = 8 * 1024 * 1024 });
        Assert.Contains("it can be raised, not lowered", kit.Core.Reason(kit.Now));
        Assert.Null(Follower(2, view: Ours with { FrameSize = 1024 }).Core.Reason(kit.Now));
    }

    [Fact]
    public void R5_the_lease_is_that_of_the_view_whatever_a_node_is_configured_for()
    {
        // Configured for 3 s in a view of 1 s: its lease ends after 0.9 s.
        var kit = Follower(2, options: o => o with { Lease = Ms(3000) });
        kit.Receive(1, Beat(1, kit.Now));
        kit.Later(899);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Later(2);
        Assert.Equal(NodeMode.Ready, kit.Mode);
    }

    [Fact]
    public void R1_a_member_waits_out_the_lease_of_the_view_that_it_acknowledged_whatever_it_is_configured_for()
    {
        // Configured for 0.3 s in a view of 1 s, after a restart too.
        var kit = Follower(2, options: o => o with { Lease = Ms(300), HeartbeatInterval = Ms(30) });
        kit.Receive(1, Beat(1));
        kit.Later(999);
        kit.Receive(3, new RequestPromise(E(2), E(0))).Nothing();
        kit.Later(1);
        kit.Receive(3, new RequestPromise(E(2), E(0))).Exactly(Journals(new Promised(E(2), Node(3))));
    }

    [Theory]
    [InlineData(2000, 2000)]
    [InlineData(500, 500)]
    public void R5_an_election_begins_with_the_lease_of_the_candidate(int configured, int expected)
    {
        var kit = Sequencer(options: o => o with { Lease = Ms(configured) });
        Assert.Equal(Ms(expected), kit.Core.View.Lease);
    }

    [Fact]
    public void R5_a_tenure_that_leads_on_or_was_handed_over_shortens_no_lease()
    {
        var kit = Follower(2, options: o => o with { Lease = Ms(500) });
        kit.Receive(1, new Handover(E(1)));
        kit.Succeed(2, [Member(1), Member(3)], [Member(1), Member(3)], View1(), 0);
        Assert.Equal((E(2), Ms(1000)), (kit.Core.View.Epoch, kit.Core.View.Lease));
    }
}
