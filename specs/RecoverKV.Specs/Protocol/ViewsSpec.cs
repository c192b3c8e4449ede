using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R2 View, the members' side, and what the sequencer must wait for before it assigns uids.</summary>
public sealed class ViewsSpec
{
    private static readonly View Second = View(2, 2, 3, [2, 3], (1, 1), (2, 4));

    [Fact]
    public void R2_R7_a_member_drops_what_the_donor_does_not_have_and_says_so_after_the_disk()
    {
        var kit = Follower(3, log: 5, committed: 2).PromiseTo(2, epoch: 2);
        kit.Receive(2, new Synchronize(E(2), View1(), U(3), Node(2))).Exactly(
            Journals(new OrphansDropped([Range(4, 5)])));
        Assert.Equal(U(3), kit.Core.Contiguous);
        kit.DiskCatchesUp().Exactly(To(2, new Synchronized(E(2), U(3))));

        // Asked again, it answers again.
        kit.Receive(2, new Synchronize(E(2), View1(), U(3), Node(2))).Exactly(To(2, new Synchronized(E(2), U(3))));
    }

    [Fact]
    public void R2_R6_a_member_that_lacks_entries_gets_them_from_the_donor()
    {
        var kit = Follower(3, log: 2).PromiseTo(2, epoch: 2);
        kit.Receive(2, new Synchronize(E(2), View1(), U(5), Node(1))).Exactly(
            To(2, new Synchronized(E(2), U(2))), To(1, new Fetch(E(2), 1, Range(3, 5))));
        kit.Receive(1, new Entries(E(2), 1, [Batch(1, 3, 4)])).Exactly(
            Journals(Batch(1, 3, 4), committed: 0), To(1, new Fetch(E(2), 2, Range(5, 5))));
        kit.DiskCatchesUp().Exactly(To(2, new Synchronized(E(2), U(4))));
        // Never more than the donor's log, and of no other epoch.
        kit.Receive(1, new Entries(E(2), 2, [Batch(1, 5, 6)])).Exactly(Journals(Batch(1, 5, 5), committed: 0));
        kit.DiskCatchesUp().Exactly(To(2, new Synchronized(E(2), U(5))));
    }

    [Fact]
    public void R3_R7_an_orphan_whose_drop_is_not_on_disk_does_not_count()
    {
        var kit = Follower(3, log: 5).PromiseTo(2, epoch: 3);
        var facts = kit.Journal.Count;
        var newest = View(2, 2, 3, [1, 2], (1, 1), (2, 4));
        kit.Receive(2, new Synchronize(E(3), newest, U(5), Node(2))).Exactly(
            Journals(new OrphansDropped([Range(4, 5)])), To(2, new Fetch(E(3), 1, Range(4, 5))));
        kit.Receive(2, new Entries(E(3), 1, [Batch(2, 4, 5)])).Exactly(Journals(Batch(2, 4, 5), committed: 0));

        // Uids 4 and 5 are on disk, but as orphans; their successors are not.
        kit.DiskReaches(facts + 1).Exactly(To(2, new Synchronized(E(3), U(3))));
        kit.DiskReaches(facts + 2).Exactly(To(2, new Synchronized(E(3), U(5))));
        Assert.Equal(E(2), kit.Core.EntryAt(U(5))!.Value.Epoch);
    }

    [Fact]
    public void R2_a_view_is_accepted_only_once_it_is_on_disk()
    {
        var kit = Follower(3, log: 3).PromiseTo(2, epoch: 2);
        kit.Receive(2, new InstallView(Second)).Exactly(Journals(new ViewAccepted(Second, [], U(0))));
        Assert.Same(Second, kit.Core.View);

        // Nothing is said in its name before: no heartbeat is acknowledged, no lease taken.
        kit.Receive(2, Beat(2, kit.Now)).Nothing();
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.DiskCatchesUp().Exactly(To(2, new AcceptedView(E(2))));
        kit.Receive(2, Beat(2, kit.Now)).Exactly(To(2, Ack(kit, 2, round: 1, contiguous: 3)));
        Assert.Equal(NodeMode.Alive, kit.Mode);
    }

    [Fact]
    public void R2_late_duplicates_of_election_messages_change_nothing()
    {
        var kit = Follower(3, log: 3).PromiseTo(2, epoch: 2);
        kit.Receive(2, new InstallView(Second));
        kit.Receive(2, Append(2, 4, 5));
        kit.DiskCatchesUp();
        var facts = kit.Journal.Count;

        kit.Receive(2, new Synchronize(E(2), View1(), U(3), Node(2))).Nothing();
        kit.Receive(2, new RequestPromise(E(2), E(0))).Nothing();
        kit.Receive(2, new InstallView(Second)).Exactly(To(2, new AcceptedView(E(2))));
        kit.Receive(1, new InstallView(View1())).Exactly(To(1, new Refuse(E(1), E(2))));
        Assert.Equal((U(5), E(2), facts), (kit.Core.Contiguous, kit.Core.View.Epoch, kit.Journal.Count));

        // And after a higher promise not even those of its own view.
        kit.PromiseTo(1, epoch: 3);
        kit.Receive(2, new InstallView(Second)).Exactly(To(2, new Refuse(E(2), E(3))));
        kit.Receive(2, new Synchronize(E(2), View1(), U(3), Node(2))).Exactly(To(2, new Refuse(E(2), E(3))));
        Assert.Equal(U(5), kit.Core.Contiguous);
    }

    [Fact]
    public void R2_only_the_promised_candidate_synchronises_and_installs()
    {
        var kit = Follower(3, log: 5).PromiseTo(2, epoch: 2);
        kit.Receive(1, new Synchronize(E(2), View1(), U(3), Node(1))).Nothing();
        kit.Receive(2, new Synchronize(E(3), View1(), U(3), Node(2))).Nothing();
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 6)))).Nothing();
        kit.Receive(1, new InstallView(Second)).Nothing();
        Assert.Equal((U(5), E(1)), (kit.Core.Contiguous, kit.Core.View.Epoch));
    }

    [Fact]
    public void R2_who_is_not_in_sync_follows_a_view_that_it_did_not_promise()
    {
        // It promised the epoch to a candidate who lost.
        var kit = Follower(3, log: 3).PromiseTo(2, epoch: 2);
        var view = View(2, 1, 3, [1, 2], (1, 1), (2, 4));
        kit.Receive(1, new InstallView(view)).Exactly(Journals(new ViewAccepted(view, [], U(0))));
        kit.DiskCatchesUp().Exactly(To(1, new AcceptedView(E(2))));
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        // The epoch is not promised a second time.
        kit.Receive(2, new RequestPromise(E(2), E(0))).Nothing();
    }

    [Fact]
    public void R2_a_replica_that_missed_a_view_asks_its_sequencer_for_it()
    {
        var kit = Follower(3);
        kit.Receive(2, Beat(2)).Exactly(To(2, new ViewWanted(E(2))));
        kit.Receive(2, Append(2, 4, 4)).Exactly(To(2, new ViewWanted(E(2))));
        Assert.Single(kit.Journal);

        var sequencer = Sequencer();
        sequencer.Receive(3, new ViewWanted(E(2))).Exactly(To(3, new InstallView(sequencer.Core.View)));
        sequencer.Receive(3, new ViewWanted(E(3))).Nothing();
    }

    [Fact]
    public void R2_no_uid_is_assigned_before_every_in_sync_member_accepted()
    {
        var kit = Sequencer();
        var before = kit.Core.View;
        kit.Receive(3, new Refuse(E(2), E(9)));
        kit.Receive(3, new CanvassReply(E(10), true, E(9)));
        kit.Submit(Ann, R(1)).Nothing();
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, Promise(10, before, 0, 0)).Nothing();
        Assert.Contains(kit.Receive(3, Promise(10, before, 0, 0)), Sends<Synchronize>);
        kit.Submit(Ann, R(2)).Nothing();
        kit.Receive(2, new Synchronized(E(10), U(0))).Nothing();
        Assert.Contains(kit.Receive(3, new Synchronized(E(10), U(0))), Sends<InstallView>);
        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, new AcceptedView(E(10))).Nothing();
        kit.Receive(2, new AcceptedView(E(10))).Nothing();
        kit.Receive(3, new AcceptedView(E(10))).Exactly(
            To(2, Beat(10)), To(3, Beat(10)),
            Journals(Batch(10, 1, 2), committed: 0), To(2, Append(10, 1, 2)), To(3, Append(10, 1, 2)));
    }

    [Fact]
    public void R2_R11_a_new_incarnation_takes_its_place_once_a_majority_of_the_old_members_knows()
    {
        // n1 leads, n2 is in-sync and leaves, n3 lost its disk and has caught up under a new incarnation.
        var kit = Sequencer(inSync: [1, 2]);
        var before = kit.Core.View;
        var fresh = Member(3, incarnation: 5);
        kit.Run(110, contiguous: 0, 2);
        kit.Receive(fresh, Ack(kit, 2, round: 2, contiguous: 0));
        kit.Receive(2, new Leaving(E(2), CoreKit.Run)).Exactly(
            To(2, new Canvass(E(3), E(0), E(2))), To(3, new Canvass(E(3), E(0), E(2))));

        // The new incarnation is no voter.
        kit.Receive(fresh, new CanvassReply(E(3), true, E(2))).Nothing();
        Assert.Contains(kit.Receive(2, new CanvassReply(E(3), true, E(2))), Sends<RequestPromise>);
        kit.DiskCatchesUp();
        kit.Receive(fresh, Promise(3, before, 0, 0)).Nothing();
        Assert.Contains(kit.Receive(2, Promise(3, before, 0, 0)), Sends<Synchronize>);

        var view = View(3, 1, 3, [1, 3], (3, 1)) with { Members = [Member(1), Member(2), fresh] };
        kit.Receive(fresh, new Synchronized(E(3), U(0))).Exactly(
            To(2, new InstallView(view)), To(3, new InstallView(view)), Journals(new ViewAccepted(view, [], U(0))));
        kit.DiskCatchesUp().Nothing();

        // All who are in-sync accepted, but of the old members only n1 did: n2 and the old n3 could still elect.
        kit.Receive(fresh, new AcceptedView(E(3))).Nothing();
        Assert.False(kit.Core.IsSequencer);
        kit.Receive(2, new AcceptedView(E(3)));
        Assert.True(kit.Core.IsSequencer);
    }
}
