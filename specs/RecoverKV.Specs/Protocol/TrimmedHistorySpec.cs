using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R7: a view's history tells of what some member may lack, and of no more.</summary>
public sealed class TrimmedHistorySpec
{
    private static View LedOn(CoreKit kit, params int[] inSync)
    {
        kit.Receive(3, new Refuse(E(2), E(2).Next));
        var others = inSync.Where(n => n != 1).Select(n => Member(n)).ToArray();
        kit.Succeed(4, others, others, kit.Core.View, 5);
        Assert.Equal(E(4), kit.Core.View.Epoch);
        return kit.Core.View;
    }

    [Fact]
    public void R7_the_history_is_cut_at_what_every_member_has_committed()
    {
        var kit = Sequencer(log: 5);
        kit.Run(300, contiguous: 5, 2, 3);
        var view = LedOn(kit, 1, 2, 3);
        // View 2 had no entry of its own: view 1 is the last tenure that began at or before uid 5.
        Assert.Equal([new Tenure(E(1), U(1)), new Tenure(E(4), U(6))], view.History);

        kit.Submit(Ann, R(6));
        kit.AllAcknowledge(6);
        kit.Run(300, contiguous: 6, 2, 3);
        kit.Receive(3, new Refuse(E(4), E(5)));
        kit.Succeed(6, [Member(2), Member(3)], [Member(2), Member(3)], view, 6);
        Assert.Equal([new Tenure(E(4), U(6)), new Tenure(E(6), U(7))], kit.Core.View.History);
        Assert.Equal(E(4), kit.Core.View.TrimmedAt);
    }

    [Fact]
    public void R7_what_a_member_lacks_stays_in_the_history_and_so_does_all_when_an_election_makes_the_view()
    {
        var kit = Sequencer(inSync: [1, 2], log: 5);
        kit.Submit(Ann, R(6));
        kit.AllAcknowledge(6);
        kit.Run(300, contiguous: 6, 2);
        kit.Receive(2, new Refuse(E(2), E(3)));
        kit.Succeed(4, [Member(2)], [Member(2)], kit.Core.View, 6);
        Assert.Equal([new Tenure(E(1), U(1)), new Tenure(E(2), U(6)), new Tenure(E(4), U(7))], kit.Core.View.History);
    }

    [Fact]
    public void R7_entries_below_the_history_are_kept_by_who_accepted_the_view_that_cut_it_and_dropped_by_others()
    {
        var view = View(6, 1, 3, [1, 2], (4, 6), (6, 8)) with { TrimmedAt = E(4) };
        // n3 holds 1..7 and knows 2 to be committed. It accepted view 4, so its entries were right then.
        var fourth = View(4, 1, 3, [1, 2], (1, 1), (4, 6));
        var knows = CoreKit.Start(3, 3, Journal(fourth, Batch(1, 1, 5), Batch(4, 6, 7)));
        knows.Receive(1, new Commit(E(4), U(2)));
        knows.Receive(1, new InstallView(view)).Exactly(Journals(new ViewAccepted(view, [], U(5))));

        // Another one accepted only view 1: what it has beyond the committed uid may be of a view that failed.
        var older = CoreKit.Start(3, 3, Journal(View1(1, 2), Batch(1, 1, 5)));
        older.Receive(1, new Commit(E(1), U(2)));
        older.Receive(1, new InstallView(view)).Exactly(Journals(new ViewAccepted(view, [Range(3, 5)], U(5))));
        older.DiskCatchesUp();
        older.Receive(1, new Commit(E(6), U(7)));
        var fetch = Assert.Single(older.Wait(10).SentTo(1).Concat(older.Wait(1200).SentTo(2)).OfType<Fetch>().Take(1));
        Assert.Equal(Range(3, 7), fetch.Range);
    }

    [Fact]
    public void R7_R11_a_new_disk_that_was_brought_to_the_log_of_a_cut_history_keeps_it()
    {
        var before = View(4, 1, 3, [1, 2], (4, 6)) with { TrimmedAt = E(3) };
        var kit = CoreKit.Start(3, 3, [], incarnation: 1);
        kit.Receive(1, new RequestPromise(E(5), E(0)));
        kit.DiskCatchesUp();
        var fetch = kit.Receive(1, new Synchronize(E(5), before, U(7), Node(1))).SentTo(1).OfType<Fetch>().Single();
        Assert.Equal(Range(1, 7), fetch.Range);
        kit.Receive(1, new Entries(E(5), fetch.Id, [Batch(1, 1, 5), Batch(4, 6, 7)]));
        // Nor does it drop what its disk is slow to take, if the view goes on without it.
        var without = View(5, 1, 3, [1, 2], (4, 6), (5, 8)) with { TrimmedAt = E(3) };
        var slow = CoreKit.Start(3, 3, [], incarnation: 1);
        slow.Receive(1, new RequestPromise(E(5), E(0)));
        slow.DiskCatchesUp();
        slow.Receive(1, new Synchronize(E(5), before, U(7), Node(1)));
        slow.Receive(1, new Entries(E(5), fetch.Id, [Batch(1, 1, 5), Batch(4, 6, 7)]));
        slow.Receive(1, new InstallView(without)).Exactly(Journals(new ViewAccepted(without, [], U(5))));
        kit.DiskCatchesUp();

        // A restart in the midst of it must not begin from nothing either.
        var view = View(5, 1, 3, [1, 2, 3], (4, 6), (5, 8)) with
        {
            TrimmedAt = E(3),
            Members = [Member(1), Member(2), Member(3, incarnation: 1)],
        };
        foreach (var replica in new[] { kit, CoreKit.Start(3, 3, kit.OnDisk, incarnation: 1) })
        {
            replica.Receive(1, new Synchronize(E(5), before, U(7), Node(1)));
            replica.Receive(1, new InstallView(view)).Exactly(Journals(new ViewAccepted(view, [], U(5))));
            Assert.Equal((U(7), U(5)), (replica.Core.Contiguous, replica.Core.Applied));
        }
    }

    [Fact]
    public void R6_a_late_answer_to_an_earlier_run_is_none_to_this_one()
    {
        var zombie = Zombie([Batch(1, 1, 2)]);
        var other = Zombie([Batch(1, 1, 2)], o => o with { Run = 0x7777_7777_7777_7777 });
        zombie.Receive(1, new Commit(E(1), U(4)));
        other.Receive(1, new Commit(E(1), U(4)));
        Assert.NotEqual(Fetches(zombie).Single().Id, Fetches(other).Single().Id);

        static IEnumerable<Fetch> Fetches(CoreKit kit) =>
            kit.Wait(1500).OfType<Effect.Send>()
                .Select(s => s.Message).OfType<Fetch>().DistinctBy(f => f.Range).Take(1);
    }
}
