using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R7 Orphans: uncommitted entries that are no part of the accepted view's log.</summary>
public sealed class OrphansSpec
{
    // Made without n3: uids 1..3 are of epoch 1, 4 of epoch 2, from 5 on of epoch 3.
    private static readonly View Third = View(3, 2, 3, [1, 2], (1, 1), (2, 4), (3, 5));

    [Fact]
    public void R7_accepting_a_view_drops_the_entries_that_its_history_does_not_give()
    {
        var kit = CoreKit.Start(3, 3, Journal(View1(), Batch(1, 1, 4), Batch(1, 6, 7)));
        kit.Receive(1, new Commit(E(1), U(2)));
        kit.Receive(2, new InstallView(Third)).Exactly(
            Journals(new ViewAccepted(Third, [Range(4, 4), Range(6, 7)], U(2))));
        Assert.Equal((U(3), U(2)), (kit.Core.Contiguous, kit.Core.Applied));
        Assert.Null(kit.Core.EntryAt(U(6)));
        Assert.Equal(E(1), kit.Core.EntryAt(U(3))!.Value.Epoch);
        kit.DiskCatchesUp().Exactly(To(2, new AcceptedView(E(3))));
    }

    [Fact]
    public void R7_entries_of_the_right_epoch_stay_though_they_are_not_committed()
    {
        var second = View(2, 1, 3, [1, 3], (1, 1), (2, 4));
        var kit = CoreKit.Start(3, 3, [.. Journal(View1(), Batch(1, 1, 3)), .. Journal(second, Batch(2, 4, 5))]);
        kit.Receive(2, new InstallView(Third)).Exactly(Journals(new ViewAccepted(Third, [Range(5, 5)], U(0))));
        Assert.Equal((U(4), E(2)), (kit.Core.Contiguous, kit.Core.EntryAt(U(4))!.Value.Epoch));
    }

    [Fact]
    public void R7_entries_that_were_not_on_disk_yet_are_dropped_as_well()
    {
        var kit = Follower(3, log: 3);
        kit.Receive(1, Append(1, 4, 5));
        kit.Receive(2, new InstallView(Third)).Exactly(Journals(new ViewAccepted(Third, [Range(4, 5)], U(0))));
        // Nothing that the disk reports later brings them back.
        kit.DiskCatchesUp().Exactly(To(2, new AcceptedView(E(3))));
        Assert.Equal(U(3), kit.Core.Contiguous);
        Assert.Equal(U(3), CoreKit.Start(3, 3, kit.OnDisk).Core.Contiguous);
    }

    [Fact]
    public void R7_R3_what_takes_an_orphan_s_uid_counts_only_once_it_is_on_disk_itself()
    {
        var kit = Follower(3, log: 5);
        var facts = kit.Journal.Count;
        kit.Receive(2, new InstallView(Third));
        kit.Receive(2, new Append(E(3), Batch(3, 5, 6), U(0))).Exactly(Journals(Batch(3, 5, 6), committed: 0));
        kit.Receive(2, new Commit(E(3), U(4))).Exactly(To(1, new Fetch(E(3), 1, Range(4, 4))));
        kit.Receive(1, new Entries(E(3), 1, [Batch(2, 4, 4)])).Exactly(Journals(Batch(2, 4, 4), committed: 4));

        // The old 4 and 5 are on disk; their drop, and then the new 5, and then the new 4.
        kit.DiskReaches(facts + 1).Exactly(To(2, new AcceptedView(E(3))));
        kit.Receive(2, Beat(3)).Exactly(To(2, Ack(kit, 3, round: 1, contiguous: 3)));
        kit.DiskReaches(facts + 2).Exactly(To(2, Appended(3, 3, highest: 6)));
        kit.DiskReaches(facts + 3).Exactly(To(2, Appended(3, 6)));
    }

    [Fact]
    public void R7_a_crash_before_the_drop_is_on_disk_brings_the_orphans_back_with_their_view()
    {
        var kit = Follower(3, log: 5);
        kit.Receive(2, new InstallView(Third));
        var restarted = CoreKit.Start(3, 3, kit.OnDisk);
        Assert.Equal((U(5), E(1)), (restarted.Core.Contiguous, restarted.Core.View.Epoch));
        restarted.Receive(2, new InstallView(Third)).Exactly(Journals(new ViewAccepted(Third, [Range(4, 5)], U(0))));
    }

    [Fact]
    public void R7_reads_no_longer_wait_for_dropped_writes()
    {
        var kit = Alive(2, log: 5, committed: 3).PromiseTo(3, epoch: 2);
        var second = View(2, 3, 3, [2, 3], (1, 1), (2, 4));
        kit.Receive(3, new Synchronize(E(2), View1(), U(3), Node(3))).Exactly(
            Journals(new OrphansDropped([Range(4, 5)])));
        kit.Receive(3, new InstallView(second)).Exactly(Journals(new ViewAccepted(second, [], U(3))));
        kit.DiskCatchesUp();
        kit.Receive(3, Beat(2, echo: kit.Now, committed: 3));
        kit.Read(Ann, "k5").Exactly(Reads(Ann, null));
    }

    [Fact]
    public void R7_a_committed_entry_is_never_dropped()
    {
        var committed = new EntriesAppended(Batch(1, 4, 4), U(3));
        var journal = Journal(View1(), Batch(1, 1, 3)).Append(committed).ToArray();
        Assert.Equal(U(3), CoreKit.Start(3, 3, journal).Core.Applied);
        Assert.Throws<InvariantViolationException>(
            () => CoreKit.Start(3, 3, [.. journal, new ViewAccepted(Third, [Range(3, 4)], U(3))]));
        Assert.Throws<InvariantViolationException>(
            () => CoreKit.Start(3, 3, [.. journal, new OrphansDropped([Range(3, 4)])]));
        Assert.Equal(U(3), CoreKit.Start(3, 3, [.. journal, new OrphansDropped([Range(4, 4)])]).Core.Contiguous);
    }
}
