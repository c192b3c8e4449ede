using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R4 Commit: what every in-sync member has on disk; and who gets the answer.</summary>
public sealed class CommitsSpec
{
    [Fact]
    public void R4_committed_is_the_lowest_acknowledged_uid_over_all_in_sync_members()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1), R(2));
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, Appended(2, 2)).Nothing();
        kit.Receive(3, Appended(2, 1)).Exactly(
            Answers(Ann, 1), To(2, new Commit(E(2), U(1))), To(3, new Commit(E(2), U(1))));
        Assert.Equal(U(1), kit.Core.Applied);
        kit.Receive(3, Appended(2, 2)).Exactly(
            Answers(Ann, 2), To(2, new Commit(E(2), U(2))), To(3, new Commit(E(2), U(2))));
        kit.Receive(3, Appended(2, 2)).Nothing();
    }

    [Fact]
    public void R4_the_sequencer_s_own_disk_counts_like_any_other()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1));
        kit.Receive(2, Appended(2, 1)).Nothing();
        kit.Receive(3, Appended(2, 1)).Nothing();
        kit.DiskCatchesUp().Exactly(Answers(Ann, 1), To(2, new Commit(E(2), U(1))), To(3, new Commit(E(2), U(1))));
    }

    [Fact]
    public void R4_who_is_not_in_sync_neither_counts_nor_holds_up()
    {
        var kit = Sequencer(inSync: [1, 2]);
        kit.Submit(Ann, R(1));
        kit.DiskCatchesUp();
        kit.Receive(3, Appended(2, 1)).Nothing();
        kit.Receive(2, Appended(2, 1)).Exactly(
            Answers(Ann, 1), To(2, new Commit(E(2), U(1))), To(3, new Commit(E(2), U(1))));
    }

    [Fact]
    public void R4_an_acknowledgement_of_another_epoch_does_not_count()
    {
        var kit = Sequencer(inSync: [1, 2]);
        kit.Submit(Ann, R(1));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(1, 1)).Nothing();
        kit.Receive(2, Appended(3, 1)).Nothing();
        // Nor one that says less than an earlier one takes anything back.
        kit.Receive(2, Appended(2, 1));
        kit.Receive(2, Appended(2, 0)).Nothing();
        Assert.Equal(U(1), kit.Core.Applied);
    }

    [Fact]
    public void R4_a_heartbeat_s_acknowledgement_counts_as_one_of_entries()
    {
        var kit = Sequencer(inSync: [1, 2]);
        kit.Submit(Ann, R(1));
        kit.DiskCatchesUp();
        kit.Receive(2, Ack(kit, 2, round: 1, contiguous: 1)).Exactly(Answers(Ann, 1), To(2, new Commit(E(2), U(1))));
    }

    [Fact]
    public void R4_a_follower_applies_what_is_committed_and_on_its_own_disk()
    {
        var kit = Follower(2, log: 2);
        kit.Receive(1, new Commit(E(1), U(1))).Nothing();
        Assert.Equal(U(1), kit.Core.Applied);
        kit.Receive(1, Append(1, 3, 3, committed: 3)).Exactly(Journals(Batch(1, 3, 3), committed: 1));
        Assert.Equal(U(2), kit.Core.Applied);
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 3)));
        Assert.Equal((U(3), 2L), (kit.Core.Applied, kit.Core.KeyCount));
        // The word of another is nothing, and an older word takes nothing back.
        kit.Receive(3, new Commit(E(1), U(9))).Nothing();
        kit.Receive(1, new Commit(E(1), U(1))).Nothing();
        Assert.Equal(U(3), kit.Core.Applied);
    }

    [Fact]
    public void R4_an_idle_sequencer_tells_a_new_view_what_is_committed()
    {
        // All that the in-sync members have when a view becomes active is committed, of whatever epoch it is.
        var kit = Follower(2, log: 3);
        kit.WaitFor(Sends<Canvass>);
        var effects = kit.Succeed(2, [Member(3)], [Member(3)], View1(), contiguous: 3);
        effects.Exactly(
            To(3, new Commit(E(2), U(3))),
            To(1, Beat(2, committed: 3).OfAll()), To(3, Beat(2, committed: 3).OfAll()));
    }

    [Fact]
    public void R4_requests_whose_entries_a_view_dropped_are_numbered_anew_and_answered_by_their_identity()
    {
        var kit = Sequencer(inSync: [1, 2], log: 1);
        kit.Submit(Ann, R(2));
        kit.Submit(Bob, R(3));
        kit.DiskCatchesUp();

        // n3 led view 3 for a moment, together with n2, and gave uid 2 to somebody else; then it went away.
        var third = View(3, 3, 3, [2, 3], (1, 1), (3, 2));
        var other = new Batch(E(3), U(2), [Write(1, 77, Put("other", "x"))]);
        kit.Receive(2, new Refuse(E(2), E(3))).Exactly(
            To(2, new Canvass(E(4), E(0), E(2))), To(3, new Canvass(E(4), E(0), E(2))));
        kit.Receive(2, new CanvassReply(E(4), true, E(3)));
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, Promise(4, third, contiguous: 2, committed: 1)).Exactly(
            To(2, new Synchronize(E(4), third, U(2), Node(2))),
            Journals(new OrphansDropped([Range(2, 3)])),
            To(2, new Fetch(E(4), 1, Range(2, 2))));
        kit.Receive(2, new Entries(E(4), 1, [other])).Exactly(Journals(new EntriesAppended(other, U(1))));
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, new Synchronized(E(4), U(2)));
        kit.DiskCatchesUp().Nothing();
        Assert.Equal(
            Text.Of(View(4, 1, 3, [1, 2], (1, 1), (3, 2), (4, 3))), Text.Of(kit.Core.View));

        // Uid 2 commits, and is nobody's here; Ann's and Bob's requests come after it.
        var again = new Batch(E(4), U(3), [R(2), R(3)]);
        kit.Receive(2, new AcceptedView(E(4))).Exactly(
            Journals(new EntriesAppended(again, U(2))), To(2, new Append(E(4), again, U(2))),
            To(2, Beat(4, committed: 2).OfAll()), To(3, Beat(4, committed: 2).OfAll()));
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, Appended(4, 4)).Exactly(
            Answers(Ann, 2, at: 3), Answers(Bob, 3, at: 4), To(2, new Commit(E(4), U(4))));
        Assert.Equal(3, kit.Core.KeyCount);
    }

    [Fact]
    public void R4_requests_whose_entries_a_view_kept_are_answered_once_when_it_becomes_active()
    {
        var kit = Sequencer(log: 1);
        kit.Submit(Ann, R(2));
        kit.DiskCatchesUp();
        var before = kit.Core.View;
        kit.Receive(3, new Refuse(E(2), E(9)));
        var effects = kit.Succeed(
            10, [Member(2), Member(3)], [Member(2), Member(3)], before, contiguous: 2, committed: 1);
        effects.Exactly(
            Answers(Ann, 2),
            To(2, new Commit(E(10), U(2))), To(3, new Commit(E(10), U(2))),
            To(2, Beat(10, committed: 2).OfAll()), To(3, Beat(10, committed: 2).OfAll()));
    }

    [Fact]
    public void R4_R9_who_waits_when_a_sequencer_steps_down_is_sent_to_the_next_one()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1));
        kit.Submit(Bob, R(2));
        kit.Receive(2, new RequestPromise(E(3), Handover: E(2))).Exactly(
            Refuses(Ann, R(1), WriteStatus.NotSequencer), Refuses(Bob, R(2), WriteStatus.NotSequencer),
            Journals(new Promised(E(3), Node(2))));
        Assert.False(kit.Core.IsSequencer);
        // Nobody is answered a second time by what comes later.
        kit.DiskCatchesUp().Exactly(To(2, Promise(3, kit.Core.View, 2, 0)));
        kit.Receive(3, Appended(2, 2)).Nothing();
    }

    [Fact]
    public void R4_a_sequencer_that_reaches_no_majority_steps_down_and_answers_who_waits()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1));
        Assert.DoesNotContain(kit.Wait(2000), e => e is Effect.AnswerWrite);
        kit.Wait(10).Exactly(Refuses(Ann, R(1), WriteStatus.NotSequencer));
        Assert.False(kit.Core.IsSequencer);
        Assert.Null(kit.Core.KnownSequencer(kit.Now));
    }

    [Fact]
    public void R4_a_campaign_that_fails_answers_who_waits()
    {
        var kit = Sequencer();
        kit.Receive(3, new Refuse(E(2), E(9)));
        kit.Receive(3, new CanvassReply(E(10), true, E(9)));
        kit.Submit(Ann, R(1)).Nothing();
        // It needs only a majority, so that one refusal does not end the tenure; but nobody promises for two lease
        // times.
        kit.Receive(3, new Refuse(E(10), E(11))).Nothing();
        Assert.DoesNotContain(kit.Wait(2000), e => e is Effect.AnswerWrite);
        kit.Wait(1000).OfType<Effect.AnswerWrite>().ToArray<Effect>().Exactly(
            Refuses(Ann, R(1), WriteStatus.NotSequencer));
    }

    [Fact]
    public void R4_R8_a_member_that_does_not_accept_the_next_view_is_left_out_of_the_one_after()
    {
        var kit = Sequencer();
        var before = kit.Core.View;
        kit.Receive(3, new Refuse(E(2), E(9)));
        kit.Receive(3, new CanvassReply(E(10), true, E(9)));
        kit.DiskCatchesUp();
        kit.Submit(Ann, R(1));
        foreach (var node in new[] { 2, 3 }) kit.Receive(node, Promise(10, before, 0, 0));
        foreach (var node in new[] { 2, 3 }) kit.Receive(node, new Synchronized(E(10), U(0)));
        kit.DiskCatchesUp();
        kit.Receive(2, new AcceptedView(E(10))).Nothing();
        var tenth = kit.Core.View;
        Assert.Equal((E(10), 3), (tenth.Epoch, tenth.InSync.Length));

        var request = new RequestPromise(E(11), E(0));
        kit.WaitFor(Sends<RequestPromise>).Exactly(
            Journals(new Promised(E(11), Node(1))), To(2, request), To(3, request));
        kit.DiskCatchesUp();
        kit.Receive(2, Promise(11, tenth, 0, 0)).Exactly(To(2, new Synchronize(E(11), tenth, U(0), Node(1))));
        kit.Receive(2, new Synchronized(E(11), U(0)));
        kit.DiskCatchesUp();
        Assert.Equal([Node(1), Node(2)], kit.Core.View.InSync);
        kit.Receive(2, new AcceptedView(E(11)));
        kit.AllAcknowledge(1).Exactly(Answers(Ann, 1), To(2, new Commit(E(11), U(1))));
    }
}
