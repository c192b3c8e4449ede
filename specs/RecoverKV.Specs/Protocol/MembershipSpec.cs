using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R8 Leaving and joining the in-sync set: every change is a new view.</summary>
public sealed class MembershipSpec
{
    private static readonly MemberId Two = Member(2);
    private static readonly MemberId Three = Member(3);

    private static ProtocolOptions Impatient(ProtocolOptions options) =>
        options with { SilenceLimit = Ms(300), BatchRequests = 1, BatchesInFlight = 1 };

    private static ProtocolOptions Forgetful(ProtocolOptions options) =>
        options with { SilenceLimit = Ms(300), LogBytesInMemory = 0, LogBytesKept = 1, PieceBytes = 1 };

    [Fact]
    public void R8_a_silent_member_is_dropped_and_nothing_commits_before_its_last_lease_must_have_ended()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        var beats = kit.Run(500, contiguous: 1, 2, 3);
        // Ack tells the reading of n3 by the sequencer's own clock here.
        var granted = beats.SentTo(3).OfType<Heartbeat>().Max(h => h.LeaseFrom);
        Assert.True(granted > TimeSpan.Zero);
        kit.RunUntil(Sends<Canvass>, contiguous: 1, 2).Exactly(
            To(2, new Canvass(E(3), E(0), E(2))), To(3, new Canvass(E(3), E(0), E(2))));

        kit.Succeed(3, [Two], [Two], kit.Core.View, contiguous: 1);
        Assert.Equal(Text.Of(View(3, 1, 3, [1, 2], (1, 1), (3, 2))), Text.Of(kit.Core.View));
        Assert.True(kit.Core.IsSequencer);
        kit.Submit(Ann, R(2));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(3, 2)).Nothing();

        var answered = kit.RunUntil(e => e is Effect.AnswerWrite, contiguous: 2, 2);
        Assert.Equal(Text.Of(Answers(Ann, 2)), Text.Of(answered.Single(e => e is Effect.AnswerWrite)));
        // The last echo may have gone out after the last one seen above: its lease is no earlier than that one's.
        Assert.True(kit.Now >= granted + kit.Core.Options.Lease, $"{kit.Now} {granted}");
    }

    [Fact]
    public void R8_without_the_promises_of_a_majority_a_silent_member_stays()
    {
        var kit = Sequencer(options: Impatient);
        kit.RunUntil(Sends<Canvass>, contiguous: 0, 2);
        kit.Receive(2, new CanvassReply(E(3), false, E(2))).Nothing();
        kit.Submit(Ann, R(1));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(2, 1)).Nothing();
        Assert.DoesNotContain(kit.Run(300, contiguous: 1, 2), e => e is Effect.AnswerWrite or Effect.Journal);
        Assert.Equal((E(2), 3), (kit.Core.View.Epoch, kit.Core.View.InSync.Length));
    }

    [Fact]
    public void R8_the_in_sync_set_never_falls_below_a_majority()
    {
        var kit = Sequencer(options: Impatient);
        Assert.DoesNotContain(kit.Wait(1900), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_zombie_that_has_caught_up_is_taken_in()
    {
        var kit = Sequencer(inSync: [1, 2], log: 5, options: Impatient);
        kit.Run(150, contiguous: 5, 2);
        // In flight there may be one entry, so one is how far behind it may be.
        kit.Receive(3, Ack(kit, 2, round: 2, contiguous: 3));
        kit.Wait(20).Nothing();
        // Who may not fill its gaps would only hold up the view.
        kit.Receive(3, Ack(kit, 2, round: 2, contiguous: 4) with { CutOff = true });
        kit.Wait(20).Nothing();
        kit.Receive(3, Ack(kit, 2, round: 2, contiguous: 4));
        kit.Wait(10).Exactly(To(2, new Canvass(E(3), E(0), E(2))), To(3, new Canvass(E(3), E(0), E(2))));

        kit.Succeed(3, [Two, Three], [Two, Three], kit.Core.View, contiguous: 5);
        Assert.Equal([Node(1), Node(2), Node(3)], kit.Core.View.InSync);
        kit.Submit(Ann, R(6));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(3, 6)).Nothing();
        kit.Receive(3, Appended(3, 6)).Exactly(
            Answers(Ann, 6), To(2, new Commit(E(3), U(6))), To(3, new Commit(E(3), U(6))));
    }

    [Fact]
    public void R8_a_zombie_that_lacks_what_only_the_state_has_is_not_taken_in()
    {
        // It is within what may be on its way; but of the first ten uids no log has any left.
        var kit = Sequencer(inSync: [1, 2], log: 10, options: Forgetful);
        kit.Submit(Ann, R(11));
        kit.AllAcknowledge(11);
        var checkpoint = kit.Core.BeginCheckpoint()!;
        while (checkpoint.State.Next(1000, 1_000_000) is not null) { }
        kit.Core.CheckpointSaved(checkpoint);
        Assert.Equal(U(10), Assert.IsType<Effect.Forget>(Assert.Single(kit.Core.Effects)).To);
        kit.Core.Effects.Clear();
        Assert.DoesNotContain(kit.Run(500, contiguous: 9, 3), Sends<Canvass>);
        Assert.Contains(kit.Run(500, contiguous: 10, 3), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_zombie_that_is_not_heard_lately_is_not_taken_in()
    {
        var kit = Sequencer(inSync: [1, 2], log: 5, options: Impatient);
        kit.Receive(3, Ack(kit, 2, round: 1, contiguous: 5));
        kit.Later(160);
        kit.Receive(2, Ack(kit, 2, round: 1, contiguous: 5));
        Assert.DoesNotContain(kit.Run(500, contiguous: 5, 2), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_replica_that_was_wanted_and_did_not_make_it_is_tried_again_after_a_growing_pause()
    {
        var kit = Sequencer(inSync: [1, 2], log: 5, options: Impatient);
        var since = kit.Now;
        var pauses = new List<TimeSpan>();
        for (var epoch = 3; epoch <= 5; epoch++)
        {
            kit.RunUntil(Sends<Canvass>, contiguous: 5, 2, 3);
            pauses.Add(kit.Now - since);
            // Service is interrupted for n3, which follows well enough, and n3 does not promise in time.
            kit.Succeed(epoch, [Two], [Two], kit.Core.View, contiguous: 5);
            Assert.Equal((E(epoch), 2), (kit.Core.View.Epoch, kit.Core.View.InSync.Length));
            Assert.True(kit.Core.IsSequencer);
            since = kit.Now;
        }

        Assert.InRange(pauses[0], TimeSpan.Zero, Ms(300));
        Assert.InRange(pauses[1], Ms(1000), Ms(1300));
        Assert.InRange(pauses[2], Ms(2000), Ms(2300));
    }

    [Fact]
    public void R8_a_campaign_that_leads_on_may_meet_a_newer_view_with_members_that_the_tenure_did_not_know()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        kit.RunUntil(Sends<Canvass>, contiguous: 1, 2);
        // Meanwhile n2 led, with a new incarnation of n3, and has stepped down again.
        var third = View(3, 2, 3, [2, 3], (1, 1), (3, 2))
            with
        { Members = [Member(1), Two, Member(3, incarnation: 5)] };
        kit.Receive(2, new CanvassReply(E(3), false, E(3)));
        kit.Succeed(4, [Two], [Two], third, contiguous: 1);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(
            (E(4), third.Members.Length),
            (kit.Core.View.Epoch, kit.Core.View.Members.Intersect(third.Members).Count()));
    }

    [Fact]
    public void R8_a_dead_member_is_swapped_for_a_live_one_in_one_step()
    {
        var kit = Sequencer(inSync: [1, 2], log: 5, options: Impatient);
        // n2 is gone, n3 not caught up yet: neither change alone leaves a majority.
        Assert.DoesNotContain(kit.Run(400, contiguous: 0, 3), Sends<Canvass>);
        kit.Receive(3, Ack(kit, 2, round: 5, contiguous: 5));
        kit.Wait(10);
        kit.Succeed(3, [Three], [Three], kit.Core.View, contiguous: 5);
        Assert.Equal(Text.Of(View(3, 1, 3, [1, 3], (1, 1), (3, 6))), Text.Of(kit.Core.View));
    }

    [Fact]
    public void R8_a_leaving_member_gives_its_lease_back_and_waits_for_a_view_without_it()
    {
        var kit = Alive(2, log: 3, committed: 2);
        kit.Read(Ann, "k3").Nothing();
        kit.Leave().Exactly(RefusesRead(Ann), To(1, new Leaving(E(1), CoreKit.Run)));
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Read(Ann, "k2").Exactly(RefusesRead(Ann));
        // It helps no lease, and takes none.
        kit.Receive(1, Beat(1, echo: kit.Now)).Nothing();
        Assert.Equal(NodeMode.Ready, kit.Mode);
        // It acknowledges writes as long as it is in-sync.
        kit.Receive(1, Append(1, 4, 4));
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 4)));
        kit.Wait(200).Nothing();
        kit.Wait(10).Exactly(To(1, new Leaving(E(1), CoreKit.Run)));

        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 5))));
        kit.DiskCatchesUp().Exactly(To(1, new AcceptedView(E(2))));
        kit.Wait(10).Exactly(new Effect.Left());
        kit.Wait(100).Nothing();
    }

    [Fact]
    public void R8_nothing_waits_for_a_member_that_left_in_good_order()
    {
        var kit = Sequencer(log: 1);
        var beats = kit.Run(300, contiguous: 1, 2, 3);
        Assert.Contains(beats.SentTo(3), m => m is Heartbeat { LeaseRun: not 0 });
        kit.Receive(3, new Leaving(E(2), CoreKit.Run)).Exactly(
            To(2, new Canvass(E(3), E(0), E(2))), To(3, new Canvass(E(3), E(0), E(2))));
        kit.Succeed(3, [Two], [Two], kit.Core.View, contiguous: 1);
        Assert.Equal([Node(1), Node(2)], kit.Core.View.InSync);
        kit.Submit(Ann, R(2));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(3, 2)).Exactly(Answers(Ann, 2), To(2, new Commit(E(3), U(2))));
    }

    [Fact]
    public void R8_a_late_word_of_leaving_does_not_cancel_the_lease_of_the_next_run()
    {
        var kit = Sequencer(log: 1);
        kit.Run(300, contiguous: 1, 2, 3);
        kit.Receive(3, new Leaving(E(2), CoreKit.Run - 1)).Nothing();
        Assert.Equal(3, kit.Core.View.InSync.Length);
    }

    [Fact]
    public void R8_late_copies_of_an_earlier_run_do_not_cancel_the_lease_of_the_present_one()
    {
        var kit = Sequencer(log: 1);
        // The earlier run acknowledged round 1 and left; the present one acknowledges the rounds after it.
        var ack = new HeartbeatAck(E(2), 1, CoreKit.Run - 1, Ms(5), U(1), U(1));
        kit.Receive(3, ack);
        kit.Run(300, contiguous: 1, 2, 3);
        kit.Receive(3, ack);
        kit.Receive(3, new Leaving(E(2), CoreKit.Run - 1)).Nothing();
        Assert.Equal(3, kit.Core.View.InSync.Length);
        Assert.DoesNotContain(kit.Run(100, contiguous: 1, 2, 3), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_run_that_was_followed_by_another_does_not_return_by_a_late_copy_of_a_later_round()
    {
        var kit = Sequencer(log: 1);
        // The earlier run was the last to acknowledge round 5; the present one acknowledged a late copy of round 2
        // first.
        kit.Receive(3, new HeartbeatAck(E(2), 1, CoreKit.Run - 1, Ms(5), U(1), U(1)));
        kit.Receive(3, new HeartbeatAck(E(2), 2, CoreKit.Run, Ms(1), U(1), U(1)));
        kit.Receive(3, new HeartbeatAck(E(2), 5, CoreKit.Run - 1, Ms(6), U(1), U(1)));
        kit.Receive(3, new Leaving(E(2), CoreKit.Run - 1)).Nothing();
        Assert.DoesNotContain(kit.Run(100, contiguous: 1, 2, 3), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_member_that_leaves_before_it_acknowledged_anything_is_heard()
    {
        var kit = Sequencer(log: 1);
        kit.Receive(2, Ack(kit, 2, round: 1, contiguous: 1));
        Assert.Contains(kit.Receive(3, new Leaving(E(2), CoreKit.Run)), Sends<Canvass>);
    }

    [Fact]
    public void R8_a_leaving_sequencer_hands_over_to_the_in_sync_member_that_has_most()
    {
        var kit = Sequencer(log: 1);
        kit.Submit(Ann, R(2));
        kit.DiskCatchesUp();
        kit.Receive(3, Appended(2, 2)).Nothing();
        kit.Leave().Exactly(To(3, new Handover(E(2))));
        kit.Submit(Bob, R(3)).Exactly(Refuses(Bob, R(3), WriteStatus.NotSequencer));
        // What it took it still commits.
        kit.Receive(2, Appended(2, 2)).Exactly(
            Answers(Ann, 2), To(2, new Commit(E(2), U(2))), To(3, new Commit(E(2), U(2))));

        kit.Receive(3, new Canvass(E(3), E(2), E(2))).Exactly(To(3, new CanvassReply(E(3), true, E(2))));
        kit.Receive(3, new RequestPromise(E(3), E(2))).Exactly(Journals(new Promised(E(3), Node(3))));
        kit.DiskCatchesUp();
        kit.Receive(3, new InstallView(View(3, 3, 3, [2, 3], (1, 1), (2, 2), (3, 3))));
        kit.DiskCatchesUp();
        kit.Wait(10).Exactly(new Effect.Left());
    }

    [Fact]
    public void R8_who_is_handed_over_to_stands_at_once_for_a_view_without_the_leaving_one()
    {
        var kit = Alive(2, log: 3, committed: 3);
        kit.Receive(1, new Handover(E(1))).Exactly(
            To(1, new Canvass(E(2), E(1), E(1))), To(3, new Canvass(E(2), E(1), E(1))));
        // It answers reads until it promises.
        Assert.Equal(NodeMode.Alive, kit.Mode);
        Assert.Contains(kit.Receive(1, new CanvassReply(E(2), true, E(1))), Sends<RequestPromise>);
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Succeed(2, [Member(1), Three], [Three], View1(), contiguous: 3);
        Assert.Equal(Text.Of(View(2, 2, 3, [2, 3], (1, 1), (2, 4))), Text.Of(kit.Core.View));
        // All who may hold a lease of the old view have promised, and so given it back.
        kit.Submit(Ann, R(4));
        kit.DiskCatchesUp();
        Assert.Contains(kit.Receive(3, Appended(2, 4)), e => e is Effect.AnswerWrite);
    }

    [Fact]
    public void R8_after_a_handover_nothing_commits_while_a_member_that_did_not_promise_may_hold_a_lease()
    {
        var kit = Alive(2, log: 3, committed: 3);
        kit.Receive(1, new Handover(E(1)));
        kit.Succeed(2, [Member(1)], [Member(1)], View1(), contiguous: 3);
        Assert.Equal([Node(1), Node(2)], kit.Core.View.InSync);
        var active = kit.Now;
        kit.Submit(Ann, R(4));
        kit.DiskCatchesUp();
        kit.Receive(1, Appended(2, 4)).Nothing();
        Assert.DoesNotContain(kit.Run(990, contiguous: 4, 1), e => e is Effect.AnswerWrite);
        Assert.Contains(kit.Run(10, contiguous: 4, 1), e => e is Effect.AnswerWrite);
        Assert.Equal(active + kit.Core.Options.Lease, kit.Now);
    }

    [Fact]
    public void R8_a_handover_of_another_view_or_by_another_node_is_ignored()
    {
        var kit = Alive(2);
        kit.Receive(3, new Handover(E(1))).Nothing();
        kit.Receive(1, new Handover(E(2))).Nothing();
        Zombie([]).Receive(1, new Handover(E(1))).Nothing();
    }

    [Fact]
    public void R8_a_member_leaves_in_any_case_after_two_lease_times()
    {
        var kit = Alive(2);
        kit.Leave();
        Assert.DoesNotContain(kit.Wait(2000), e => e is Effect.Left);
        Assert.Equal([new Effect.Left()], kit.Wait(500).OfType<Effect.Left>());

        Zombie([]).Leave().Exactly(new Effect.Left());
        CoreKit.Start(1, 1, Journal(View(1, 1, 1, [1], (1, 1)))).Leave().Exactly(new Effect.Left());
    }

    [Fact]
    public void R8_a_member_that_leaves_stands_for_no_election()
    {
        var kit = Alive(2);
        kit.Leave();
        Assert.DoesNotContain(kit.Wait(3000), Sends<Canvass>);
    }
}
