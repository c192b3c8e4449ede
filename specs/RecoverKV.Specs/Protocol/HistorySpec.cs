using CsCheck;
using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary>The history of views, which says what epoch the entry at a uid must have (R2, R6, R7); and who
/// counts.</summary>
public sealed class HistorySpec
{
    [Fact]
    public void A_uid_has_the_epoch_of_the_last_tenure_that_began_before_it()
    {
        var view = View(7, 1, 3, [1, 2, 3], (2, 1), (4, 5), (7, 6));
        Assert.Equal([0, 2, 2, 4, 7, 7], new[] { 0, 1, 4, 5, 6, 99 }.Select(uid => view.EpochAt(U(uid)).Value));
    }

    [Fact]
    public void A_tenure_in_which_nothing_remained_is_left_out()
    {
        var view = View(4, 1, 3, [1, 2, 3], (2, 1), (4, 5));
        Assert.Equal(
            [new Tenure(E(2), U(1)), new Tenure(E(4), U(5)), new Tenure(E(6), U(6))],
            view.HistoryWith(E(6), U(6), U(0)));
        Assert.Equal([new Tenure(E(2), U(1)), new Tenure(E(6), U(5))], view.HistoryWith(E(6), U(5), U(0)));
        Assert.Equal([new Tenure(E(6), U(1))], view.HistoryWith(E(6), U(1), U(0)));
    }

    [Fact]
    public void Through_any_elections_the_history_gives_each_uid_its_last_epoch() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3]).Array[0, 30].Sample(elections =>
        {
            // The model: the epoch of every entry; each view keeps a part of the log and writes some entries.
            var epochs = new List<long>();
            var view = Actors.Protocol.View.None;
            foreach (var (writes, lost) in elections)
            {
                epochs.RemoveRange(Math.Max(0, epochs.Count - lost), Math.Min(lost, epochs.Count));
                var first = U(epochs.Count + 1);
                var epoch = view.Epoch.Next;
                view = view with { Epoch = epoch, FirstUid = first, History = view.HistoryWith(epoch, first, U(0)) };
                epochs.AddRange(Enumerable.Repeat(epoch.Value, writes));
            }

            Assert.Equal(epochs, epochs.Select((_, i) => view.EpochAt(U(i + 1)).Value));
            if (elections.Length > 0) Assert.Equal(new Tenure(view.Epoch, view.FirstUid), view.History[^1]);
            for (var i = 1; i < view.History.Length; i++)
            {
                Assert.True(view.History[i].FirstUid > view.History[i - 1].FirstUid);
                Assert.True(view.History[i].Epoch > view.History[i - 1].Epoch);
            }
        });

    [Fact]
    public void Tenures_that_ended_before_what_all_members_have_are_left_out()
    {
        var view = View(6, 1, 3, [1, 2, 3], (2, 1), (4, 5), (6, 9));
        Tenure[] all = [new(E(2), U(1)), new(E(4), U(5)), new(E(6), U(9)), new(E(7), U(12))];
        foreach (var (trim, from) in new[] { (0, 0), (4, 0), (5, 1), (8, 1), (9, 2), (11, 2), (12, 3), (99, 3) })
            Assert.Equal(all[from..], view.HistoryWith(E(7), U(12), U(trim)));
    }

    [Fact]
    public void R11_a_member_is_a_node_with_its_disk()
    {
        var view = View1(1, 2);
        Assert.Equal((true, true), (view.HasMember(Member(2)), view.IsInSync(Member(2))));
        Assert.Equal((true, false), (view.HasMember(Member(3)), view.IsInSync(Member(3))));
        Assert.Equal(
            (false, false), (view.HasMember(Member(2, incarnation: 1)), view.IsInSync(Member(2, incarnation: 1))));
        Assert.Equal([1, 2, 2, 3, 3], Enumerable.Range(1, 5).Select(n => View(1, 1, n, [1], (1, 1)).Majority));
    }

    [Fact]
    public void Election_jitter_comes_from_the_published_generator()
    {
        // The first outputs of splitmix64 for the seed 1234567.
        var random = new SplitMix64(1234567);
        Assert.Equal(
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
            Enumerable.Range(0, 5).Select(_ => random.Next()).ToArray());
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(random.NextUnit(), 0, 0.9999999999999999));
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(random.Below(3), 0, 2));
    }
}
