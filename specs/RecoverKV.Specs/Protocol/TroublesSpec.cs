using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>What keeps a replica from its work: disks that take nothing, majorities that cannot be had, and histories
/// that contradict each other. It is said, and as much goes on as can.</summary>
public sealed class TroublesSpec
{
    [Fact]
    public void A_replica_with_another_history_drops_nothing_for_an_election_and_takes_no_part_in_it()
    {
        var kit = Follower(2, log: 5, committed: 4).PromiseTo(3, epoch: 3);
        // Epoch 1 was made once more, by another sequencer.
        kit.Receive(3, new Synchronize(E(3), View(1, 3, 3, [1, 3], (1, 1)), U(4), Node(3))).Nothing();
        Assert.Equal(U(5), kit.Core.Contiguous);
        Assert.Contains("with different writes", kit.Trouble, StringComparison.Ordinal);
    }

    private const string Full = "the disk is full";
    private const string SequencersDisk = "the disk of the sequencer, n1, takes nothing: the disk is full";

    private static ProtocolOptions Impatient(ProtocolOptions options) =>
        options with { SilenceLimit = Ms(300), BatchRequests = 1, BatchesInFlight = 1 };

    [Fact]
    public void A_sequencer_whose_disk_takes_nothing_refuses_writes_with_the_reason_and_goes_on_when_it_does()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        kit.Submit(Ann, R(2), R(3));
        // What has a uid may be committed yet; what waits for one need not.
        kit.DiskTrouble(Full).Exactly(Refuses(Ann, R(3), WriteStatus.Busy, SequencersDisk));
        kit.Submit(Bob, R(4)).Exactly(Refuses(Bob, R(4), WriteStatus.Busy, SequencersDisk));
        // A retry of what is under way only changes who gets the answer.
        kit.Submit(Bob, R(2)).Nothing();
        Assert.Equal("its disk takes nothing for now: the disk is full", kit.Trouble);

        kit.DiskTrouble(null);
        Assert.Null(kit.Trouble);
        kit.Receive(2, Appended(2, 2));
        kit.Receive(3, Appended(2, 2));
        Assert.Contains(Text.Of(Answers(Bob, 2)), kit.DiskCatchesUp().Select(Text.Of));
        kit.Submit(Ann, R(3));
        Assert.Contains(kit.Journal, f => f is EntriesAppended e && e.Batch.First == U(3));
    }

    [Fact]
    public void While_no_disk_takes_anything_the_sequencer_stays_and_leases_go_on()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        kit.Submit(Ann, R(2));
        kit.DiskTrouble(Full);
        kit.Run(4000, contiguous: 1, 2, 3);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        // Nor does it give up what it could not get back, for want of a promise on disk.
        kit.Wait(3000);
        Assert.True(kit.Core.IsSequencer);
        Assert.Equal(NodeMode.Ready, kit.Mode);
        kit.Run(500, contiguous: 1, 2, 3);
        Assert.Equal(NodeMode.Alive, kit.Mode);
    }

    [Fact]
    public void A_sequencer_whose_disk_alone_takes_nothing_makes_room()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        kit.Submit(Ann, R(2));
        kit.DiskTrouble(Full);
        kit.Run(290, contiguous: 2, 2, 3);
        Assert.True(kit.Core.IsSequencer);
        kit.Run(50, contiguous: 2, 2, 3);
        Assert.False(kit.Core.IsSequencer);
        // And does not stand again.
        kit.Receive(2, new Canvass(E(3), E(0), E(2))).Exactly(To(2, new CanvassReply(E(3), false, E(2))));
    }

    [Fact]
    public void A_replica_whose_disk_takes_nothing_votes_for_nobody()
    {
        var kit = Follower(2, log: 1);
        kit.DiskTrouble(Full);
        kit.Later(1000);
        kit.Receive(3, new Canvass(E(2), E(0), E(1))).Exactly(To(3, new CanvassReply(E(2), false, E(1))));
        kit.DiskTrouble(null);
        kit.Receive(3, new Canvass(E(2), E(0), E(1))).Exactly(To(3, new CanvassReply(E(2), true, E(1))));
    }

    [Fact]
    public void Writes_that_the_disks_of_others_keep_from_being_committed_are_refused_with_their_names()
    {
        var kit = Sequencer(log: 1, options: Impatient);
        kit.Submit(Ann, R(2), R(3));
        kit.DiskCatchesUp();
        var refused = kit.RunUntil(e => e is Effect.AnswerWrite, contiguous: 1, 2, 3)
            .OfType<Effect.AnswerWrite>().Single();
        Assert.Equal(
            Text.Of(Refuses(Ann, R(3), WriteStatus.Busy, "the disks of n2, n3 take nothing")),
            Text.Of((Effect)refused));
        kit.Submit(Bob, R(4)).Exactly(Refuses(Bob, R(4), WriteStatus.Busy, "the disks of n2, n3 take nothing"));

        kit.Receive(2, Appended(2, 2));
        Assert.Contains(Text.Of(Answers(Ann, 2)), kit.Receive(3, Appended(2, 2)).Select(Text.Of));
        kit.Tick();
        Assert.Contains(kit.Submit(Bob, R(3)), Sends<Append>);
    }

    [Fact]
    public void A_replica_that_cannot_be_elected_says_whom_it_misses()
    {
        var kit = Follower(2, log: 1);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(3, new CanvassReply(E(2), false, E(1)));
        kit.Wait(1000);
        Assert.Null(kit.Trouble);
        for (var passed = 0; passed < 5000; passed += 10)
        {
            foreach (var canvass in kit.Wait(10).SentTo(3).OfType<Canvass>())
                kit.Receive(3, new CanvassReply(canvass.Epoch, false, E(1)));
        }

        Assert.Equal("there is no majority of the members: n1 does not answer, n3 does not vote for it", kit.Trouble);
        kit.Receive(1, Beat(1));
        Assert.Null(kit.Trouble);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void R11_a_replica_whose_majority_has_other_disks_points_to_what_an_operator_can_do(
        int others, bool pointsToIt)
    {
        var kit = Follower(2, log: 1);
        for (var passed = 0; passed < 6000; passed += 10)
        {
            foreach (var canvass in kit.Wait(10).SentTo(3).OfType<Canvass>())
            {
                kit.Receive(Member(3, 1), new CanvassReply(canvass.Epoch, false, E(0)));
                if (others > 1) kit.Receive(Member(1, 1), new CanvassReply(canvass.Epoch, false, E(0)));
            }
        }

        Assert.Contains("n3 has another disk than it had", kit.Trouble, StringComparison.Ordinal);
        Assert.Equal(
            pointsToIt, kit.Trouble!.Contains("`recoverkv rescue` makes a new store", StringComparison.Ordinal));
    }

    [Fact]
    public void R11_a_candidate_that_meets_too_many_lost_tails_names_them()
    {
        var kit = Follower(2, log: 3, committed: 3);
        kit.WaitFor(Sends<Canvass>);
        kit.Receive(1, new CanvassReply(E(2), true, E(1)));
        kit.DiskCatchesUp();
        kit.Receive(1, Promise(2, View1(), contiguous: 2, committed: 2));
        kit.Receive(3, Promise(2, View1(), contiguous: 1, committed: 1));
        kit.Wait(1100);
        Assert.StartsWith(
            "no sequencer can be elected: writes up to uid 3 were committed, "
            + "but n1 has them up to 2, n3 has them up to 1. ",
            kit.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_sequencers_of_one_epoch_are_two_histories_and_both_say_so()
    {
        var kit = Follower(2, log: 3);
        kit.Receive(3, Beat(1)).Exactly(To(3, new Refuse(E(1), E(1))));
        Assert.StartsWith("n3 and this node know epoch 1 with different writes", kit.Trouble, StringComparison.Ordinal);

        var other = Sequencer(log: 3);
        other.Receive(2, new Refuse(E(2), E(1)));
        Assert.Null(other.Trouble);
        other.Receive(2, new Refuse(E(2), E(2))).Nothing();
        Assert.StartsWith(
            "n2 and this node know epoch 2 with different writes", other.Trouble, StringComparison.Ordinal);
    }

    public static TheoryData<View> OtherHistories => new(
        // Another view of the same epoch.
        View(4, 1, 3, [1, 3], (1, 1), (4, 3)),
        View(4, 1, 3, [1, 2, 3], (1, 1), (4, 4)),
        // Later ones without what is committed, and with other entries at its uids.
        View(5, 1, 3, [1, 3], (1, 1), (5, 4)),
        View(6, 1, 3, [1, 3], (1, 1), (4, 2), (6, 9)),
        View(6, 1, 3, [1, 3], (1, 1), (5, 4), (6, 9)));

    [Theory]
    [MemberData(nameof(OtherHistories))]
    public void A_view_of_another_history_is_not_accepted(View other)
    {
        var own = View(4, 1, 3, [1, 2, 3], (1, 1), (4, 3));
        var kit = CoreKit.Start(2, 3, [.. Journal(View1(), Batch(1, 1, 2)), .. Journal(own, Batch(4, 3, 5))]);
        kit.Receive(1, new Commit(E(4), U(4)));
        kit.Receive(1, new InstallView(other)).Exactly(To(1, new Refuse(other.Epoch, other.Epoch)));
        Assert.Contains("with different writes", kit.Trouble, StringComparison.Ordinal);
        Assert.Equal(U(5), kit.Core.Contiguous);

        // One whose history does not reach back to the first uid says nothing of it.
        kit.Receive(1, new InstallView(View(6, 1, 3, [1, 3], (4, 3), (6, 5))));
        Assert.Equal(E(6), kit.Core.View.Epoch);
        Assert.Null(kit.Trouble);
    }
}
