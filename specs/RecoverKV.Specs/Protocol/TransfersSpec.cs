using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R10: a replica that lacks what no log has any more takes a peer's state; and a log forgets what a
/// checkpoint has.</summary>
public sealed class TransfersSpec
{
    private static readonly StateTotals Totals = new(5, 3, 77, 1, 96);

    /// <summary>n3 lacks 3..9, and n1 says that these are in its checkpoint of uid 7 only.</summary>
    private static CoreKit Begun()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        kit.Receive(1, new Commit(E(1), U(9))).Exactly(To(1, new Fetch(E(1), 1, Range(3, 9))));
        // Not before the other one has said so, too.
        kit.Receive(1, new Compacted(E(1), 1, U(7))).Exactly(To(2, new Fetch(E(1), 2, Range(3, 9))));
        kit.Receive(2, new Compacted(E(1), 2, U(6))).Exactly(Asks(1, 3, null));
        return kit;
    }

    private static Effect Asks(int node, long id, StateCursor? after, long at = 7) =>
        To(node, new FetchState(E(1), id, U(at), after));

    private static StateCursor At(string key) => new(System.Text.Encoding.UTF8.GetBytes(key), 0, 0);

    private static StateChunk Chunk(StateCursor? next) => new(new StatePart(), next, Totals);

    private static StatePage Page(long id, StateCursor? next) => new(E(1), id, Chunk(next));

    private static Effect[] Take(CoreKit kit, bool isWritten = true)
    {
        kit.Core.StateTaken(kit.Now, isWritten);
        var effects = kit.Core.Effects.Where(e => e is not Effect.Notice).ToArray();
        kit.Core.Effects.Clear();
        return effects;
    }

    [Fact]
    public void R10_the_state_comes_part_by_part_each_asked_for_while_the_one_before_is_written()
    {
        var kit = Begun();
        kit.Receive(1, Page(3, At("b"))).Exactly(
            new Effect.TakeState(U(7), true, Chunk(At("b"))), Asks(1, 4, At("b")));
        // Neither a late copy, nor what nobody asked for.
        kit.Receive(1, Page(3, At("b"))).Nothing();
        kit.Receive(2, Page(4, At("c"))).Nothing();
        Take(kit).Nothing();
        kit.Receive(1, Page(4, At("c"))).Exactly(
            new Effect.TakeState(U(7), false, Chunk(At("c"))), Asks(1, 5, At("c")));
        // It waits for the one before, and nothing more is asked for meanwhile.
        kit.Receive(1, Page(5, At("d"))).Nothing();
        Assert.DoesNotContain(kit.Wait(40_000), Sends<FetchState>);
        Take(kit).Exactly(new Effect.TakeState(U(7), false, Chunk(At("d"))), Asks(1, 6, At("d")));
        Assert.Contains(
            "takes the state at uid 7 from n1: 0 of 3 keys, 0 %, 0.0 MB", kit.Trouble, StringComparison.Ordinal);
        kit.Receive(1, Page(6, null)).Nothing();
        Take(kit).Exactly(new Effect.TakeState(U(7), false, Chunk(null)));
        var install = Assert.IsType<Effect.InstallState>(Assert.Single(Take(kit)));
        Assert.Equal(Totals, install.Totals);
        var from = install.Base;
        Assert.Equal(
            (U(7), U(7), U(7), U(9), 2L, 3L),
            (from.Applied, from.Settled, from.Compacted, from.Committed, from.Fact, from.ReplayFrom));
        // From then on it says nothing before it has started anew.
        kit.Receive(1, Append(1, 10, 10, committed: 9)).Nothing();
        kit.Wait(3000).Nothing();
    }

    [Fact]
    public void R10_nothing_is_fetched_from_logs_meanwhile_and_the_tail_is_taken()
    {
        var kit = Begun();
        kit.Receive(1, Append(1, 8, 9, committed: 9)).Exactly(Journals(Batch(1, 8, 9), committed: 9));
        kit.DiskCatchesUp();
        kit.Receive(1, Page(3, null));
        var install = Take(kit).OfType<Effect.InstallState>().Single();
        // What the log has beyond the state is replayed after it.
        Assert.Equal((3L, 3L), (install.Base.ReplayFrom, install.Base.Fact));
    }

    [Fact]
    public void R10_it_counts_only_when_the_journal_has_all_facts_that_it_has_seen()
    {
        var kit = Begun();
        kit.Receive(1, Append(1, 8, 9, committed: 9)).Exactly(Journals(Batch(1, 8, 9), committed: 9));
        kit.Receive(1, Page(3, null));
        Assert.Empty(Take(kit));
        Assert.Contains(kit.DiskCatchesUp(), e => e is Effect.InstallState);
    }

    [Fact]
    public void R10_only_what_the_view_told_to_be_committed_is_taken()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        kit.Receive(1, new Commit(E(1), U(9))).Exactly(To(1, new Fetch(E(1), 1, Range(3, 9))));
        kit.Receive(1, new Compacted(E(1), 1, U(10))).Exactly(To(2, new Fetch(E(1), 2, Range(3, 9))));
        // Nor what is older than what this replica has; and who was not asked says nothing.
        kit.Receive(2, new Compacted(E(1), 9, U(7))).Nothing();
        kit.Receive(2, new Compacted(E(1), 2, U(2))).Nothing();
        kit.Wait(1000).Nothing();
        // The view tells more.
        kit.Receive(1, new Commit(E(1), U(10))).Exactly(Asks(1, 3, null, at: 10));
    }

    [Fact]
    public void R10_an_answer_may_take_longer_than_expected_and_a_peer_that_is_gone_is_replaced()
    {
        var kit = Begun();
        kit.Wait(1000).Nothing();
        kit.Wait(10).Exactly(Asks(1, 3, null));
        kit.Wait(2000).Nothing();
        kit.Wait(10).Exactly(Asks(1, 3, null));
        kit.Receive(1, Page(3, At("a"))).Exactly(
            new Effect.TakeState(U(7), true, Chunk(At("a"))), Asks(1, 4, At("a")));
        Take(kit).Nothing();

        var more = kit.WaitFor(Sends<Fetch>, atMost: 40_000).OfType<Effect.Send>().Single(e => e.Message is Fetch);
        Assert.Equal(Node(2), more.To);
        // Nobody else has it: from another one whose checkpoint is of the same uid it goes on.
        kit.Receive(2, new Compacted(E(1), ((Fetch)more.Message).Id, U(7))).Exactly(Asks(2, 6, At("a")));
        // Its checkpoint is a newer one now.
        var next = kit.Receive(2, new StatePage(E(1), 6, null)).OfType<Effect.Send>()
            .SingleOrDefault(e => e.Message is Fetch)
            ?? kit.WaitFor(Sends<Fetch>).OfType<Effect.Send>().Single(e => e.Message is Fetch);
        Assert.IsType<Fetch>(next.Message);
    }

    [Fact]
    public void R10_what_could_not_be_written_is_tried_again_after_a_while_from_the_begin()
    {
        var kit = Begun();
        kit.Receive(1, Page(3, At("b")));
        Take(kit).Nothing();
        kit.Receive(1, Page(4, At("c")));
        kit.Receive(1, Page(5, At("d"))).Nothing();
        Assert.Empty(Take(kit, isWritten: false));
        Assert.Contains("could not be written here", kit.Trouble, StringComparison.Ordinal);
        // Meanwhile somebody may have the entries again.
        var begun = kit.Now;
        for (var asked = 0; ; asked++)
        {
            var effects = kit.WaitFor(e => Sends<Fetch>(e) || Sends<FetchState>(e));
            if (effects.FirstOrDefault(Sends<FetchState>) is Effect.Send { Message: FetchState state })
            {
                Assert.Null(state.After);
                break;
            }

            foreach (var fetch in effects.OfType<Effect.Send>().Where(e => e.Message is Fetch))
                kit.Receive(fetch.To == Node(1) ? 1 : 2, new Compacted(E(1), ((Fetch)fetch.Message).Id, U(7)));
            if (kit.Now - begun < Ms(30_000)) Assert.InRange(asked, 0, 60);
            else Assert.InRange(asked, 1, 200);
        }
    }

    [Fact]
    public void R10_what_an_earlier_run_has_taken_is_not_taken_again()
    {
        var kit = CoreKit.Start(
            3, 3, Journal(View1(1, 2), Batch(1, 1, 2)), before: core => core.ResumeTransfer(new TakenState(U(7), At("b"), 2, 9)));
        kit.Receive(1, new Commit(E(1), U(9))).Exactly(To(1, new Fetch(E(1), 1, Range(3, 9))));
        kit.Receive(1, new Compacted(E(1), 1, U(8))).Exactly(To(2, new Fetch(E(1), 2, Range(3, 9))));
        kit.Receive(2, new Compacted(E(1), 2, U(7))).Exactly(Asks(2, 3, At("b")));
    }

    [Fact]
    public void R10_what_is_not_needed_any_more_goes()
    {
        var kit = CoreKit.Start(
            3, 3, Journal(View1(1, 2), Batch(1, 1, 2)), before: core => core.ResumeTransfer(new TakenState(U(7), At("b"), 2, 9)));
        kit.Receive(1, new Commit(E(1), U(9))).Exactly(To(1, new Fetch(E(1), 1, Range(3, 9))));
        kit.Receive(1, new Entries(E(1), 1, [Batch(1, 3, 9)]));
        kit.DiskCatchesUp();
        kit.Wait(10).Exactly(new Effect.DropState());
        kit.Wait(1000).Nothing();
    }

    [Fact]
    public void R2_what_a_candidate_that_lost_has_told_is_not_held_against_later_views()
    {
        var kit = Zombie([Batch(1, 1, 2)]).PromiseTo(2, epoch: 4);
        // n2 knows of two more views, and that 3..4 were committed in the first of them.
        kit.Receive(2, new Synchronize(E(4), View(3, 2, 3, [1, 2], (1, 1), (2, 3), (3, 5)), U(6), Node(2)));
        var view = View(5, 1, 3, [1, 2], (1, 1), (2, 3), (3, 5), (5, 7));
        Assert.Contains(kit.Receive(1, new InstallView(view)), e => e is Effect.Journal { Fact: ViewAccepted });
        Assert.Equal(E(5), kit.Core.View.Epoch);
    }

    [Fact]
    public void R10_a_log_that_forgot_entries_says_so_and_gives_the_state_of_its_checkpoint_only()
    {
        Batch[] log = [.. Enumerable.Range(0, 300).Select(i => Batch(1, 10 * i + 1, 10 * i + 10))];
        var kit = CoreKit.Start(
            2, 3, Journal(View1(), log), o => o with { LogBytesInMemory = 0, LogBytesKept = 1, PieceBytes = 1 });
        kit.Receive(1, Beat(1, kit.Now, 3000));
        var checkpoint = kit.Core.BeginCheckpoint()!;
        while (checkpoint.State.Next(1000, 1_000_000) is not null) { }
        kit.Core.CheckpointSaved(checkpoint);
        var forget = Assert.IsType<Effect.Forget>(Assert.Single(kit.Core.Effects, e => e is not Effect.Notice));
        kit.Core.Effects.Clear();
        Assert.True(forget.To > Uid.Zero && forget.Before > 1, $"{forget}");
        kit.Receive(3, new Fetch(E(1), 5, Range(1, 9))).Exactly(To(3, new Compacted(E(1), 5, U(3000))));
        kit.Receive(3, new FetchState(E(1), 6, U(2999), null)).Exactly(To(3, new StatePage(E(1), 6, null)));
        kit.Receive(3, new FetchState(E(1), 7, U(3000), null)).Exactly(
            new Effect.ServeState(Node(3), new FetchState(E(1), 7, U(3000), null)));
        Assert.True(kit.Core.GivesState(kit.Now));
        kit.Later(301_000);
        Assert.False(kit.Core.GivesState(kit.Now));
        // What is behind is in the journal as before.
        Assert.IsType<Effect.ServeFromJournal>(
            Assert.Single(kit.Receive(3, new Fetch(E(1), 8, new UidRange(forget.To.Next, forget.To.Next)))));
    }
}
