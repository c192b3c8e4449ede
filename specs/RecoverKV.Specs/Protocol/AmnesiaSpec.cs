using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R11 Amnesia: disks that lost what they had vouched for.</summary>
public sealed class AmnesiaSpec
{
    private static readonly MemberId Fresh = Member(3, incarnation: 5);

    [Fact]
    public void R11_the_promises_of_a_new_incarnation_do_not_count()
    {
        var kit = Follower(2, log: 1);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(Fresh, new CanvassReply(E(2), true, E(0))).Nothing();
        kit.Receive(1, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        kit.Receive(Fresh, Promise(2, Actors.Protocol.View.None, 0, 0)).Nothing();
        kit.Wait(150).Nothing();
        Assert.Contains(kit.Receive(1, Promise(2, View1(), 1, 0)), Sends<Synchronize>);
    }

    [Fact]
    public void R11_an_election_takes_no_new_incarnation_in()
    {
        var kit = Follower(2, log: 1);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(1, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        kit.Receive(Fresh, Promise(2, Actors.Protocol.View.None, 0, 0));
        kit.Receive(1, Promise(2, View1(), 1, 0)).Exactly(To(1, new Synchronize(E(2), View1(), U(1), Node(2))));
        kit.Receive(Fresh, new Synchronized(E(2), U(1))).Nothing();
        kit.Receive(1, new Synchronized(E(2), U(1)));
        Assert.Equal(Text.Of(View(2, 2, 3, [1, 2], (1, 1), (2, 2))), Text.Of(kit.Core.View));
    }

    [Fact]
    public void R11_the_acknowledgements_of_a_new_incarnation_do_not_count()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(2, 1)).Nothing();
        kit.Receive(Fresh, Appended(2, 1)).Nothing();
        kit.Receive(Fresh, Ack(kit, 2, round: 1, contiguous: 1)).Nothing();
        Assert.Equal(U(0), kit.Core.Applied);
        Assert.Contains(kit.Receive(3, Appended(2, 1)), e => e is Effect.AnswerWrite);
    }

    [Fact]
    public void R11_a_new_incarnation_follows_as_a_zombie_and_does_not_stand()
    {
        var view = View1();
        var kit = CoreKit.Start(3, 3, [], incarnation: 5);
        kit.Receive(1, Beat(1, echo: kit.Now, committed: 2)).Exactly(To(1, new ViewWanted(E(1))));
        kit.Receive(1, new InstallView(view)).Exactly(Journals(new ViewAccepted(view, [], U(0))));
        kit.DiskCatchesUp().Exactly(To(1, new AcceptedView(E(1))));
        // It is asked for, though its node is in-sync: its place has another disk.
        kit.Receive(1, Beat(1, echo: kit.Now, committed: 2)).Exactly(
            To(1, new Fetch(E(1), 1, Range(1, 2))), To(1, Ack(kit, 1, round: 1, contiguous: 0)));
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        kit.Receive(1, new Entries(E(1), 1, [Batch(1, 1, 2)]));
        kit.DiskCatchesUp();
        Assert.Equal((U(2), NodeMode.Zombie), (kit.Core.Applied, kit.Mode));
        Assert.DoesNotContain(kit.Wait(3000), Sends<Canvass>);
    }

    [Fact]
    public void R11_a_promiser_without_what_was_committed_is_no_voter_and_no_donor()
    {
        var kit = Follower(2, log: 3, committed: 3);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(3, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        // Nobody starts over unless the others can heal it.
        kit.Receive(3, Promise(2, View1(), contiguous: 2, committed: 1)).Nothing();
        kit.Wait(150).Nothing();
        kit.Receive(1, Promise(2, View1(), contiguous: 3, committed: 2)).Exactly(
            To(3, new TailLost(E(2), Member(3), U(3))), To(1, new Synchronize(E(2), View1(), U(3), Node(2))));
    }

    [Fact]
    public void R11_what_any_promiser_knows_to_be_committed_counts()
    {
        // The candidate's own disk is the one that lost its tail.
        var kit = Follower(2, log: 2, committed: 1);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(3, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        kit.Receive(3, Promise(2, View1(), contiguous: 5, committed: 4)).Nothing();
        kit.Receive(1, Promise(2, View1(), contiguous: 5, committed: 3)).Exactly(
            To(1, new Synchronize(E(2), View1(), U(5), Node(3))), To(3, new Synchronize(E(2), View1(), U(5), Node(3))));
        AssertDoubtsItsDisk(kit);
    }

    [Fact]
    public void R11_a_replica_that_was_told_to_have_lost_its_tail_looks_for_itself()
    {
        var kit = Follower(2, log: 3);
        kit.Receive(1, new TailLost(E(1), Member(2), U(3))).Nothing();
        kit.Receive(1, new TailLost(E(0), Member(2), U(9))).Nothing();
        kit.Receive(1, new TailLost(E(2), Member(2), U(9))).Nothing();
        // Nor is the next disk wiped for what the one before had lost.
        kit.Receive(1, new TailLost(E(1), Member(2, incarnation: 4), U(9))).Nothing();
        Assert.NotEqual(NodeMode.Zombie, kit.Mode);
        kit.Receive(1, new TailLost(E(1), Member(2), U(4))).Nothing();
        AssertDoubtsItsDisk(kit);
    }

    // What one node says is no ground to give the disk up.
    private static void AssertDoubtsItsDisk(CoreKit kit)
    {
        Assert.Equal(NodeMode.Zombie, kit.Mode);
        Assert.Contains("takes no part until a majority shows", kit.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void R11_a_replica_that_doubts_its_disk_says_nothing_more_in_its_name()
    {
        var kit = Alive(2, log: 3, committed: 2);
        kit.Receive(1, Append(1, 4, 4));
        kit.Read(Ann, "k3");
        kit.Receive(1, new TailLost(E(1), Member(2), U(9))).Exactly(RefusesRead(Ann));
        AssertDoubtsItsDisk(kit);
        kit.DiskCatchesUp().Nothing();
        kit.Receive(1, new RequestPromise(E(2), E(0))).Nothing();
        kit.Receive(3, new Fetch(E(1), 1, Range(1, 2))).Nothing();
        kit.Read(Ann, "k2").Exactly(RefusesRead(Ann));
        kit.Submit(Ann, R(5)).Exactly(Refuses(Ann, R(5), WriteStatus.NotSequencer));
        kit.Wait(3000).Nothing();
    }

    [Fact]
    public void R11_an_in_sync_member_that_hears_of_more_than_it_has_on_disk_takes_no_part()
    {
        var kit = Follower(2, log: 3);
        kit.Receive(1, Beat(1, echo: kit.Now, committed: 4)).Nothing();
        AssertDoubtsItsDisk(kit);
        // The others go on without it, and say so.
        kit.Receive(1, Beat(2)).Exactly(To(1, new ViewWanted(E(2))), To(3, new ViewWanted(E(2))));
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        Assert.IsType<Effect.StartOver>(
            Assert.Single(kit.Receive(3, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4))))));
    }

    [Fact]
    public void R11_an_in_sync_member_that_acknowledges_less_than_it_did_is_told()
    {
        var kit = Sequencer(log: 3);
        kit.Submit(Ann, R(4));
        kit.Receive(3, Appended(2, 4));
        kit.Receive(3, Ack(kit, 2, round: 1, contiguous: 3)).Exactly(To(3, new TailLost(E(2), Member(3), U(4))));
        // A restart within a view shows at the first heartbeat: everything up to the view's begin was there.
        kit.Receive(2, Ack(kit, 2, round: 1, contiguous: 2)).Exactly(To(2, new TailLost(E(2), Member(2), U(3))));

        var zombie = Sequencer(inSync: [1, 2], log: 3);
        zombie.Receive(3, Appended(2, 3));
        zombie.Receive(3, Ack(zombie, 2, round: 1, contiguous: 1)).Nothing();
    }

    private static CoreKit Lost(params Batch[] log) =>
        CoreKit.Start(2, 3, Journal(View1(), log), lost: "it lost its tail");

    [Fact]
    public void R11_a_replica_whose_host_knows_of_a_loss_takes_no_part()
    {
        var kit = Lost(Batch(1, 1, 3));
        kit.Receive(3, new Canvass(E(2), E(0), E(1))).Exactly(To(3, new CanvassReply(E(2), false, E(1))));
        kit.Later(1000);
        kit.Receive(3, new RequestPromise(E(2), E(0))).Nothing();
        kit.Receive(1, Append(1, 4, 4, committed: 3)).Nothing();
        kit.Receive(1, new Synchronize(E(1), View1(), U(3), Node(1))).Nothing();
        kit.Receive(3, new Fetch(E(1), 1, Range(1, 2))).Nothing();
        kit.Submit(Ann, R(5)).Exactly(Refuses(Ann, R(5), WriteStatus.NotSequencer));
        kit.Read(Ann, "k2").Exactly(RefusesRead(Ann));
        kit.HealFrom(Node(1)).Nothing();
        kit.Wait(3000).Nothing();
        Assert.Equal((NodeMode.Zombie, "it lost its tail", E(1)), (kit.Mode, kit.Trouble, kit.Core.PromisedEpoch));
        kit.Leave().Exactly(new Effect.Left());
    }

    [Fact]
    public void R11_it_starts_over_once_a_majority_does_without_it()
    {
        var kit = Lost();
        // A view that it did not ask for may be old, or not active.
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(1, Beat(2)).Exactly(To(1, new ViewWanted(E(2))), To(3, new ViewWanted(E(2))));
        kit.Receive(1, Beat(2)).Nothing();
        // One that counts on it has no majority without it.
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 2], (1, 1), (2, 4)))).Nothing();
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(3, Beat(3)).Exactly(To(1, new ViewWanted(E(3))), To(3, new ViewWanted(E(3))));
        // What was said of another view does not count, nor what one says twice.
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(3, new InstallView(View(3, 3, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(3, new InstallView(View(3, 3, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(1, new InstallView(View(3, 3, 3, [1, 3], (1, 1), (2, 4))))
            .Exactly(new Effect.StartOver("it lost its tail"));
    }

    [Fact]
    public void R11_a_replica_that_lost_its_tail_does_not_start_over_for_a_sequencer_that_was_deposed()
    {
        var kit = CoreKit.Start(
            2, 3, [.. Journal(View1(), Batch(1, 1, 3)), new Promised(E(4), Node(3))], lost: "it lost its tail");
        kit.Receive(1, Beat(2)).Nothing();
        kit.Receive(1, new InstallView(View(2, 1, 3, [1, 3], (1, 1), (2, 4)))).Nothing();
        kit.Receive(1, Beat(5)).Exactly(To(1, new ViewWanted(E(5))), To(3, new ViewWanted(E(5))));
    }

    [Fact]
    public void R11_who_succeeds_a_lost_disk_helps_to_begin_no_new_store()
    {
        var kit = CoreKit.Start(2, 3, [], o => o with { IsSuccessor = true }, incarnation: 5);
        kit.Receive(1, new Canvass(E(1), E(0), E(0))).Exactly(To(1, new CanvassReply(E(1), false, E(0))));
        Assert.DoesNotContain(kit.Wait(3000), Sends<Canvass>);
        Assert.Contains("begin no new one", kit.Trouble, StringComparison.Ordinal);
        // Where there is a view, it is a replica without one as any other.
        kit.Receive(1, new Canvass(E(2), E(0), E(1))).Exactly(To(1, new CanvassReply(E(2), true, E(0))));
    }

    [Fact]
    public void R11_a_view_that_counts_on_a_promise_that_the_disk_lost_is_not_accepted()
    {
        var kit = Follower(3, log: 3);
        kit.Receive(2, new InstallView(View(2, 2, 3, [2, 3], (1, 1), (2, 4)))).Nothing();
        AssertDoubtsItsDisk(kit);
        Assert.Equal(E(1), kit.Core.View.Epoch);
    }

    [Fact]
    public void R11_a_view_that_counts_on_entries_that_the_disk_lost_is_not_accepted()
    {
        var kit = Follower(3, log: 3).PromiseTo(2, epoch: 2);
        kit.Receive(2, new InstallView(View(2, 2, 3, [2, 3], (1, 1), (2, 5)))).Nothing();
        AssertDoubtsItsDisk(kit);
        Assert.Equal(E(1), kit.Core.View.Epoch);
    }
}
