using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R2 View, the candidate's side: promises, the donor, bringing a majority to its log, the view.</summary>
public sealed class CampaignsSpec
{
    private static readonly View Five = View(1, 1, 5, [1, 2, 3], (1, 1));

    /// <summary>n2, with the promises of nobody but itself for the epoch that it stands for.</summary>
    private static CoreKit Candidate(long log, View view, long epoch, params int[] voters)
    {
        var kit = Follower(2, log, view: view);
        kit.WaitFor(Sends<Canvass>);
        // An epoch that a voter has promised already is left out.
        if (epoch > view.Epoch.Value + 1)
            kit.Receive(voters[0], new CanvassReply(view.Epoch.Next, false, new Epoch(epoch - 1)));
        foreach (var node in voters) kit.Receive(node, new CanvassReply(E(epoch), true, E(epoch - 1)));
        Assert.Equal(E(epoch), kit.Core.PromisedEpoch);
        kit.DiskCatchesUp();
        return kit;
    }

    [Fact]
    public void R2_an_election_from_silence_to_the_first_heartbeat()
    {
        var kit = Follower(2, log: 3, committed: 2);
        kit.Wait(990).Nothing();
        kit.Wait(10).Exactly(To(1, new Canvass(E(2), E(0), E(1))), To(3, new Canvass(E(2), E(0), E(1))));

        kit.Receive(3, new CanvassReply(E(2), true, E(1))).Exactly(
            Journals(new Promised(E(2), Node(2))),
            To(1, new RequestPromise(E(2), E(0))),
            To(3, new RequestPromise(E(2), E(0))));
        kit.DiskCatchesUp().Nothing();

        kit.Receive(3, Promise(2, View1(), 3, 2)).Exactly(To(3, new Synchronize(E(2), View1(), U(3), Node(2))));

        var view = View(2, 2, 3, [2, 3], (1, 1), (2, 4));
        kit.Receive(3, new Synchronized(E(2), U(3))).Exactly(
            To(1, new InstallView(view)), To(3, new InstallView(view)), Journals(new ViewAccepted(view, [], U(2))));

        kit.Receive(3, new AcceptedView(E(2))).Nothing();
        Assert.False(kit.Core.IsSequencer);

        kit.DiskCatchesUp().Exactly(
            To(3, new Commit(E(2), U(3))),
            To(1, Beat(2, round: 1, committed: 3).OfAll()),
            To(3, Beat(2, round: 1, committed: 3).OfAll()));
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(U(3), kit.Core.Applied);
    }

    [Fact]
    public void R2_nothing_is_synchronised_without_the_own_promise_on_disk()
    {
        var kit = Follower(2);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(3, new CanvassReply(E(2), true, E(1)));
        kit.Receive(1, Promise(2, View1(), 0, 0)).Nothing();
        kit.Receive(3, Promise(2, View1(), 0, 0)).Nothing();
        kit.DiskCatchesUp().Exactly(
            To(1, new Synchronize(E(2), View1(), U(0), Node(1))), To(3, new Synchronize(E(2), View1(), U(0), Node(1))));
    }

    [Fact]
    public void R2_the_donor_is_the_in_sync_promiser_with_the_highest_contiguous_uid()
    {
        var kit = Candidate(log: 2, Five, epoch: 2, 3, 4);
        kit.Receive(3, Promise(2, Five, contiguous: 5, committed: 2)).Nothing();
        // n4 has more, but it is not in-sync: what it has beyond may lack a committed write.
        kit.Receive(4, Promise(2, Five, contiguous: 9, committed: 0)).Nothing();
        // n5 may still promise, for a moment.
        kit.Wait(190).Nothing();
        kit.Wait(10).Exactly(
            To(3, new Synchronize(E(2), Five, U(5), Node(3))),
            To(4, new Synchronize(E(2), Five, U(5), Node(3))),
            To(3, new Fetch(E(2), 1, Range(3, 5))));

        // The candidate itself must have the donor's log on disk, and a majority with it.
        kit.Receive(3, new Synchronized(E(2), U(5))).Nothing();
        kit.Receive(4, new Synchronized(E(2), U(5))).Nothing();
        kit.Receive(3, new Entries(E(2), 1, [Batch(1, 3, 5)])).Exactly(Journals(Batch(1, 3, 5), committed: 0));
        var view = View(2, 2, 5, [2, 3, 4], (1, 1), (2, 6));
        kit.DiskCatchesUp().Exactly(
            To(1, new InstallView(view)), To(3, new InstallView(view)),
            To(4, new InstallView(view)), To(5, new InstallView(view)),
            Journals(new ViewAccepted(view, [], U(0))));
    }

    [Fact]
    public void R2_the_donor_is_of_the_newest_accepted_view()
    {
        var newest = View(2, 4, 5, [1, 4, 5], (1, 1), (2, 4));
        var kit = Candidate(log: 6, Five, epoch: 3, 3, 4);
        kit.Receive(3, Promise(3, Five, contiguous: 9, committed: 2)).Nothing();
        kit.Receive(4, Promise(3, newest, contiguous: 5, committed: 3)).Nothing();
        kit.Wait(200).Exactly(
            To(3, new Synchronize(E(3), newest, U(5), Node(4))),
            To(4, new Synchronize(E(3), newest, U(5), Node(4))),
            // R7: its own entries 4..6 bear an epoch that the newest history does not give them.
            Journals(new OrphansDropped([Range(4, 6)])),
            To(4, new Fetch(E(3), 1, Range(4, 5))));
        Assert.Equal(U(3), kit.Core.Contiguous);
    }

    [Fact]
    public void R2_promises_of_fewer_than_a_majority_of_the_newest_members_are_asked_for_again()
    {
        var kit = Candidate(log: 0, Five, epoch: 2, 3, 4);
        kit.Receive(3, Promise(2, Five, 0, 0)).Nothing();
        kit.Receive(3, Promise(2, Five, 0, 0)).Nothing();
        kit.Wait(190).Nothing();
        var request = new RequestPromise(E(2), E(0));
        kit.Wait(10).Exactly(To(1, request), To(4, request), To(5, request));
    }

    [Fact]
    public void R2_a_campaign_without_progress_is_given_up_and_the_next_one_stands_for_a_higher_epoch()
    {
        var kit = Candidate(log: 0, View1(), epoch: 2, 3);
        kit.Wait(1010);
        kit.Receive(3, Promise(2, View1(), 0, 0)).Nothing();
        kit.WaitFor(Sends<Canvass>).Exactly(
            To(1, new Canvass(E(3), E(0), E(1))), To(3, new Canvass(E(3), E(0), E(1))));
    }

    [Fact]
    public void R1_a_campaign_that_meets_a_higher_promise_is_given_up()
    {
        var kit = Candidate(log: 0, View1(), epoch: 2, 3);
        kit.Receive(1, new Refuse(E(2), E(7))).Nothing();
        kit.Receive(3, Promise(2, View1(), 0, 0)).Nothing();
        kit.WaitFor(Sends<Canvass>).Exactly(
            To(1, new Canvass(E(8), E(0), E(1))), To(3, new Canvass(E(8), E(0), E(1))));
    }

    [Fact]
    public void R2_synchronisation_and_view_are_sent_again_to_who_does_not_answer()
    {
        var kit = Candidate(log: 1, View1(), epoch: 2, 3);
        kit.Receive(3, Promise(2, View1(), 0, 0));
        var synchronize = To(3, new Synchronize(E(2), View1(), U(1), Node(2)));
        kit.WaitFor(Sends<Synchronize>).Exactly(synchronize);
        kit.WaitFor(Sends<Synchronize>).Exactly(synchronize);

        kit.Receive(3, new Synchronized(E(2), U(1)));
        kit.DiskCatchesUp();
        var install = new InstallView(View(2, 2, 3, [2, 3], (1, 1), (2, 2)));
        kit.WaitFor(Sends<InstallView>).Exactly(To(1, install), To(3, install));
        kit.Receive(1, new AcceptedView(E(2)));
        kit.WaitFor(Sends<InstallView>).Exactly(To(3, install));
    }

    [Fact]
    public void R2_messages_of_another_campaign_do_not_count()
    {
        var kit = Candidate(log: 1, View1(), epoch: 3, 3);
        kit.Receive(3, Promise(2, View1(), 1, 0)).Nothing();
        kit.Receive(3, Promise(3, View1(), 1, 0)).Exactly(To(3, new Synchronize(E(3), View1(), U(1), Node(2))));
        kit.Receive(3, new Synchronized(E(2), U(1))).Nothing();
        kit.Receive(3, new Synchronized(E(3), U(0))).Nothing();
        Assert.Contains(kit.Receive(3, new Synchronized(E(3), U(1))), Sends<InstallView>);
        kit.DiskCatchesUp().Nothing();
        kit.Receive(3, new AcceptedView(E(2))).Nothing();
        Assert.False(kit.Core.IsSequencer);
        kit.Receive(3, new AcceptedView(E(3)));
        Assert.True(kit.Core.IsSequencer);
    }

    [Fact]
    public void R2_the_first_view_needs_all_nodes_and_records_their_incarnations()
    {
        var kit = CoreKit.Start(1, 3, []);
        kit.Tick().Exactly(To(2, new Canvass(E(1), E(0), E(0))), To(3, new Canvass(E(1), E(0), E(0))));
        kit.Receive(2, new CanvassReply(E(1), true, E(0))).Nothing();
        Assert.Contains(kit.Receive(Member(3, 5), new CanvassReply(E(1), true, E(0))), Sends<RequestPromise>);
        kit.DiskCatchesUp().Nothing();

        kit.Receive(2, Promise(1, Actors.Protocol.View.None, 0, 0)).Nothing();
        kit.Wait(150).Nothing();
        var synchronize = new Synchronize(E(1), Actors.Protocol.View.None, U(0), Node(1));
        kit.Receive(Member(3, 5), Promise(1, Actors.Protocol.View.None, 0, 0)).Exactly(
            To(2, synchronize), To(3, synchronize));

        kit.Receive(2, new Synchronized(E(1), U(0))).Nothing();
        var view = View1() with { Members = [Member(1), Member(2), Member(3, 5)] };
        kit.Receive(Member(3, 5), new Synchronized(E(1), U(0))).Exactly(
            To(2, new InstallView(view)), To(3, new InstallView(view)), Journals(new ViewAccepted(view, [], U(0))));

        kit.DiskCatchesUp().Nothing();
        kit.Receive(2, new AcceptedView(E(1))).Nothing();
        kit.Receive(Member(3, 5), new AcceptedView(E(1))).Exactly(To(2, Beat(1)), To(3, Beat(1)));
        Assert.True(kit.Core.IsSequencer);
    }

    [Fact]
    public void R2_two_incarnations_of_a_node_are_one_of_all_nodes()
    {
        var kit = CoreKit.Start(1, 3, []);
        kit.Tick();
        kit.Receive(2, new CanvassReply(E(1), true, E(0)));
        kit.Receive(3, new CanvassReply(E(1), true, E(0)));
        kit.DiskCatchesUp();
        // n3 lost its folder while it was asked; n2 has not promised yet.
        kit.Receive(3, Promise(1, Actors.Protocol.View.None, 0, 0)).Nothing();
        kit.Receive(Member(3, 5), Promise(1, Actors.Protocol.View.None, 0, 0)).Nothing();
    }
}
