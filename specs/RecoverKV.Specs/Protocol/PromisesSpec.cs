using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R1 Promise: who may become sequencer, and when a member says yes.</summary>
public sealed class PromisesSpec
{
    private static readonly RequestPromise Request2 = new(E(2), E(0));

    [Fact]
    public void R1_a_member_promises_after_a_lease_time_of_silence_and_answers_once_the_promise_is_on_disk()
    {
        // Counted from its own start at the earliest: it may have acknowledged a heartbeat just before it crashed.
        var kit = Follower(3, log: 4, committed: 2);
        kit.Wait(990).Nothing();
        kit.Receive(2, Request2).Nothing();
        Assert.Equal(E(1), kit.Core.PromisedEpoch);

        kit.Wait(10).Nothing();
        kit.Receive(2, Request2).Exactly(Journals(new Promised(E(2), Node(2))));
        Assert.Equal(E(2), kit.Core.PromisedEpoch);

        kit.DiskCatchesUp().Exactly(To(2, Promise(2, View1(), contiguous: 4, committed: 2)));
        Assert.Equal(View1().Epoch, kit.Core.View.Epoch);
    }

    [Fact]
    public void R1_the_time_of_silence_begins_again_with_every_heartbeat_acknowledged()
    {
        var kit = Follower(3);
        kit.Wait(500);
        kit.Receive(1, Beat(1)).Exactly(To(1, Ack(kit, 1, round: 1, contiguous: 0)));
        kit.Wait(990).Nothing();
        kit.Receive(2, Request2).Nothing();
        kit.Wait(10);
        kit.Receive(2, Request2).Exactly(Journals(new Promised(E(2), Node(2))));
    }

    [Fact]
    public void R1_a_heartbeat_of_somebody_else_is_no_sign_of_life()
    {
        var kit = Follower(3);
        kit.Wait(990);
        kit.Receive(2, Beat(1)).Exactly(To(2, new Refuse(E(1), E(1))));
        kit.Wait(10);
        kit.Receive(2, Request2).Exactly(Journals(new Promised(E(2), Node(2))));
    }

    [Fact]
    public void R1_an_epoch_is_promised_once_and_the_answer_is_repeated_to_its_candidate()
    {
        var kit = Follower(3).PromiseTo(2, epoch: 2);
        kit.Receive(2, Request2).Exactly(To(2, Promise(2, View1(), 0, 0)));
        // Not even to the current sequencer, who needs no silence.
        kit.Receive(1, Request2).Nothing();
        kit.Receive(2, new RequestPromise(E(1), E(0))).Exactly(To(2, new Refuse(E(1), E(2))));
        Assert.Equal([new Promised(E(2), Node(2))], kit.Journal.OfType<Promised>());
    }

    [Fact]
    public void R1_a_request_that_comes_twice_before_the_disk_is_answered_only_after_it()
    {
        var kit = Follower(3);
        kit.Later(1000);
        kit.Receive(2, Request2);
        kit.Receive(2, Request2).Nothing();
        var answer = To(2, Promise(2, View1(), 0, 0));
        kit.DiskCatchesUp().Exactly(answer, answer);
    }

    [Fact]
    public void R1_a_promise_outlives_a_crash()
    {
        var kit = CoreKit.Start(3, 3, Follower(3).PromiseTo(2, epoch: 2).OnDisk);
        Assert.Equal(E(2), kit.Core.PromisedEpoch);
        kit.Later(1000);
        kit.Receive(1, Request2).Nothing();
        kit.Receive(2, Request2).Exactly(To(2, Promise(2, View1(), 0, 0)));
    }

    [Fact]
    public void R1_a_promise_that_a_crash_took_was_never_told()
    {
        var kit = Follower(3);
        kit.Later(1000);
        kit.Receive(2, Request2);
        var restarted = CoreKit.Start(3, 3, kit.OnDisk);
        Assert.Equal(E(1), restarted.Core.PromisedEpoch);
    }

    [Fact]
    public void R1_the_current_sequencer_gets_its_promise_at_once_and_the_lease_ends()
    {
        var kit = Alive(3);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Receive(2, Request2).Nothing();
        kit.Receive(1, Request2).Exactly(Journals(new Promised(E(2), Node(1))));
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Read(Ann, "k").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R1_an_older_incarnation_s_place_is_not_the_current_sequencer()
    {
        // The node of the sequencer, with another disk: it is no member, and has no tenure to go on with.
        var kit = Alive(3);
        kit.Receive(Member(1, incarnation: 7), Request2).Nothing();
    }

    [Fact]
    public void R1_R8_who_was_handed_over_to_stands_in_for_the_sequencer_of_that_view()
    {
        var kit = Alive(3);
        kit.Receive(2, new RequestPromise(E(2), Handover: E(1))).Exactly(Journals(new Promised(E(2), Node(2))));

        var newer = Follower(3, view: View(2, 1, 3, [1, 2, 3], (2, 1)));
        newer.Receive(1, Beat(2));
        newer.Receive(2, new RequestPromise(E(3), Handover: E(1))).Nothing();
    }

    [Fact]
    public void R1_a_canvass_is_answered_as_a_request_would_be_and_changes_nothing()
    {
        var kit = Follower(3);
        kit.Receive(1, Beat(1));
        kit.Receive(2, new Canvass(E(2), E(0), E(1))).Exactly(To(2, new CanvassReply(E(2), false, E(1))));
        kit.Receive(2, new Canvass(E(2), E(1), E(1))).Exactly(To(2, new CanvassReply(E(2), true, E(1))));
        kit.Later(1000);
        for (var i = 0; i < 2; i++)
            kit.Receive(2, new Canvass(E(2), E(0), E(1))).Exactly(To(2, new CanvassReply(E(2), true, E(1))));
        kit.Receive(2, new Canvass(E(1), E(0), E(1))).Exactly(To(2, new CanvassReply(E(1), false, E(1))));
        Assert.Equal(E(1), kit.Core.PromisedEpoch);
        Assert.Single(kit.Journal);
    }

    [Fact]
    public void R1_R11_a_replica_without_a_view_takes_no_election_from_the_members()
    {
        var kit = Follower(3);
        kit.Later(1000);
        kit.Receive(2, new Canvass(E(2), E(0), View: E(0))).Exactly(To(2, new CanvassReply(E(2), false, E(1))));
    }

    [Fact]
    public void R1_after_a_promise_everything_of_lower_epochs_is_refused_and_leaves_no_trace()
    {
        var kit = Follower(3, log: 2).PromiseTo(2, epoch: 2);
        var refused = To(1, new Refuse(E(1), E(2)));
        kit.Receive(1, Append(1, 3, 4, committed: 2)).Exactly(refused);
        kit.Receive(1, Beat(1, kit.Now, committed: 2)).Exactly(refused);
        kit.Receive(1, new InstallView(View1())).Exactly(refused);
        kit.Receive(1, new Synchronize(E(1), Actors.Protocol.View.None, U(0), Node(1))).Exactly(refused);
        kit.Receive(1, new Commit(E(1), U(2))).Nothing();
        kit.Receive(1, new TailLost(E(1), Member(3), U(9))).Nothing();
        Assert.Equal((U(2), U(0), NodeMode.Ready), (kit.Core.Contiguous, kit.Core.Applied, kit.Mode));
    }

    [Fact]
    public void R1_R3_entries_that_reach_the_disk_with_a_promise_are_told_to_the_candidate_not_acknowledged()
    {
        var kit = Follower(3);
        kit.Receive(1, Append(1, 1, 2)).Exactly(Journals(Batch(1, 1, 2), committed: 0));
        kit.Later(1000);
        kit.Receive(2, Request2);
        kit.DiskCatchesUp().Exactly(To(2, Promise(2, View1(), contiguous: 2, committed: 0)));
    }

    [Fact]
    public void R1_granting_a_promise_restarts_the_own_election_timer()
    {
        var kit = Follower(3).PromiseTo(2, epoch: 2);
        kit.Wait(1070).Nothing();
        kit.Wait(10).Exactly(To(1, new Canvass(E(3), E(0), E(1))), To(2, new Canvass(E(3), E(0), E(1))));
    }

    [Fact]
    public void R1_a_sequencer_promises_to_nobody_while_it_leads()
    {
        var kit = Sequencer();
        kit.Later(1500);
        kit.Receive(2, new RequestPromise(E(3), E(0))).Nothing();
        Assert.True(kit.Core.IsSequencer);
    }

    [Fact]
    public void R1_a_member_that_was_cut_off_does_not_come_back_with_a_higher_epoch()
    {
        var kit = Follower(3);
        for (var elections = 0; elections < 3; elections++)
        {
            kit.WaitFor(Sends<Canvass>).Exactly(
                To(1, new Canvass(E(2), E(0), E(1))), To(2, new Canvass(E(2), E(0), E(1))));
            kit.Receive(1, new CanvassReply(E(2), false, E(1))).Nothing();
            kit.Receive(2, new CanvassReply(E(2), false, E(1))).Nothing();
        }

        Assert.Equal(E(1), kit.Core.PromisedEpoch);
        kit.Receive(1, Beat(1)).Exactly(To(1, Ack(kit, 1, round: 1, contiguous: 0)));
        Assert.Single(kit.Journal);
    }

    [Fact]
    public void R1_a_sequencer_that_hears_of_a_higher_epoch_leads_again_above_it()
    {
        var kit = Sequencer();
        kit.Receive(3, new Refuse(E(2), E(9))).Exactly(
            To(2, new Canvass(E(10), E(0), E(2))), To(3, new Canvass(E(10), E(0), E(2))));
        Assert.True(kit.Core.IsSequencer);

        kit.Receive(3, new CanvassReply(E(10), true, E(9))).Exactly(
            Journals(new Promised(E(10), Node(1))),
            To(2, new RequestPromise(E(10), E(0))),
            To(3, new RequestPromise(E(10), E(0))));
        Assert.Equal(Node(1), kit.Core.KnownSequencer(kit.Now));

        var before = kit.Core.View;
        kit.Succeed(10, [Member(2), Member(3)], [Member(2), Member(3)], before, contiguous: 0);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(Text.Of(View(10, 1, 3, [1, 2, 3], (10, 1))), Text.Of(kit.Core.View));
    }

    [Fact]
    public void R1_a_sequencer_that_a_majority_would_not_promise_to_leads_on_in_its_epoch()
    {
        var kit = Sequencer();
        kit.Receive(3, new Refuse(E(2), E(9)));
        kit.Receive(2, new CanvassReply(E(10), false, E(2))).Nothing();
        kit.Receive(3, new CanvassReply(E(10), false, E(9))).Nothing();
        kit.Submit(Ann, R(1)).Exactly(
            Journals(Batch(2, 1, 1), committed: 0), To(2, Append(2, 1, 1)), To(3, Append(2, 1, 1)));
        Assert.Equal((true, E(2)), (kit.Core.IsSequencer, kit.Core.PromisedEpoch));
    }

    [Fact]
    public void R1_candidates_wait_their_rank_and_some_jitter()
    {
        TimeSpan StandsAfter(int node, TimeSpan jitter, ulong seed)
        {
            var kit = Follower(node, options: o => o with { ElectionJitter = jitter, Seed = seed });
            var start = kit.Now;
            kit.WaitFor(Sends<Canvass>);
            return kit.Now - start;
        }

        Assert.Equal(Ms(1000), StandsAfter(2, TimeSpan.Zero, 1));
        Assert.Equal(Ms(1080), StandsAfter(3, TimeSpan.Zero, 1));
        // The sequencer itself comes last after a restart.
        Assert.Equal(Ms(1160), StandsAfter(1, TimeSpan.Zero, 1));

        var waits = Enumerable.Range(1, 8).Select(seed => StandsAfter(2, Ms(80), (ulong)seed)).ToArray();
        Assert.All(waits, w => Assert.InRange(w, Ms(1000), Ms(1080)));
        Assert.True(waits.Distinct().Count() > 1);
        Assert.Equal(waits[0], StandsAfter(2, Ms(80), 1));
    }
}
