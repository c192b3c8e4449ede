using RecoverKV.Actors.Protocol;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R6 Gaps: a replica asks its peers for exactly the uids that it lacks.</summary>
public sealed class HealingSpec
{
    /// <summary>n3 lacks 3..5 and 8..9 of nine committed entries; it asked n1 for the first gap, n2 for the
    /// second.</summary>
    private static CoreKit Gaps(Func<ProtocolOptions, ProtocolOptions>? options = null)
    {
        var kit = Zombie([Batch(1, 1, 2), Batch(1, 6, 7)], options);
        kit.Receive(1, new Commit(E(1), U(9)));
        return kit;
    }

    private static Effect Asks(int node, long id, long first, long last) =>
        To(node, new Fetch(E(1), id, Range(first, last)));

    private static Entries Sends(long id, params Batch[] batches) => new(E(1), id, batches);

    [Fact]
    public void R6_exactly_the_missing_uids_are_asked_for_split_among_the_in_sync_peers()
    {
        var kit = Zombie([Batch(1, 1, 2), Batch(1, 6, 7)]);
        kit.Receive(1, Beat(1, round: 1, committed: 9)).Exactly(
            Asks(1, 1, 3, 5), Asks(2, 2, 8, 9), To(1, Ack(kit, 1, round: 1, contiguous: 2, highest: 7)));
        Assert.Equal((5L, 0L), (kit.Core.Gap, kit.Core.FetchedUids));
        // Nothing is asked for twice.
        kit.Receive(1, new Commit(E(1), U(9))).Nothing();
        kit.Wait(500).Nothing();

        kit.Receive(1, Sends(1, Batch(1, 3, 5))).Exactly(Journals(Batch(1, 3, 5), committed: 9));
        Assert.Equal(2L, kit.Core.Gap);
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 7)));
        kit.Receive(2, Sends(2, Batch(1, 8, 9))).Exactly(Journals(Batch(1, 8, 9), committed: 9));
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 9)));
        Assert.Equal((U(9), 0L, 5L), (kit.Core.Applied, kit.Core.Gap, kit.Core.FetchedUids));
    }

    [Fact]
    public void R6_a_gap_is_asked_for_in_bounded_chunks_and_few_at_a_time()
    {
        var kit = Zombie([Batch(1, 1, 2)], o => o with { FetchEntries = 2, FetchesInFlight = 3 });
        kit.Receive(1, new Commit(E(1), U(10))).Exactly(Asks(1, 1, 3, 4), Asks(2, 2, 5, 6), Asks(1, 3, 7, 8));
        kit.Receive(2, Sends(2, Batch(1, 5, 6))).Exactly(Journals(Batch(1, 5, 6), committed: 10), Asks(2, 4, 9, 10));
    }

    [Fact]
    public void R6_what_a_peer_left_out_is_asked_for_again()
    {
        var kit = Gaps();
        kit.Receive(1, Sends(1, Batch(1, 3, 3))).Exactly(Journals(Batch(1, 3, 3), committed: 9), Asks(1, 3, 4, 5));
        Assert.Equal(1L, kit.Core.FetchedUids);
    }

    [Fact]
    public void R6_a_peer_that_is_silent_or_has_nothing_is_replaced_by_another()
    {
        var silent = Gaps();
        silent.Receive(2, Sends(2, Batch(1, 8, 9)));
        silent.Wait(1000).Nothing();
        silent.Wait(10).Exactly(Asks(2, 3, 3, 5));

        var empty = Gaps();
        // Not at once: it is not worth a storm of messages.
        empty.Receive(1, Sends(1)).Nothing();
        empty.Wait(10).Exactly(Asks(2, 3, 3, 5));
        // When all have failed, all are tried again.
        empty.Receive(2, Sends(3)).Nothing();
        empty.Wait(10).Exactly(Asks(2, 4, 3, 5));
        empty.Receive(2, Sends(4)).Nothing();
        empty.Wait(10).Exactly(Asks(1, 5, 3, 5));
    }

    [Fact]
    public void R6_over_a_thin_link_entries_that_come_too_late_are_taken_and_fewer_are_asked_for_at_once()
    {
        var kit = Zombie([Batch(1, 1, 2)], o => o with { FetchEntries = 2, FetchesInFlight = 3 });
        kit.Receive(1, new Commit(E(1), U(12))).Exactly(Asks(1, 1, 3, 4), Asks(2, 2, 5, 6), Asks(1, 3, 7, 8));
        kit.Wait(1000).Nothing();
        kit.Wait(10).Exactly(Asks(2, 4, 3, 4));
        kit.Receive(1, Sends(1, Batch(1, 3, 4))).Exactly(Journals(Batch(1, 3, 4), committed: 12));
        kit.Receive(2, Sends(2, Batch(1, 5, 6))).Exactly(Journals(Batch(1, 5, 6), committed: 12));
        // Not from who was not asked for them.
        kit.Receive(2, Sends(3, Batch(1, 7, 8))).Nothing();
        // In time: two may be under way.
        Assert.Equal(2, kit.Receive(2, Sends(4, Batch(1, 3, 4))).Count(Sends<Fetch>));
    }

    [Fact]
    public void R6_R7_an_entry_is_taken_only_if_its_epoch_is_the_one_of_the_history()
    {
        // n3 follows view 3: uids below 4 are of epoch 1, from 4 on of epoch 3; epoch 2 left nothing.
        var view = View(3, 1, 3, [1, 2], (1, 1), (3, 4));
        var kit = CoreKit.Start(3, 3, Journal(view));
        kit.Receive(1, new Commit(E(3), U(6))).Exactly(To(1, new Fetch(E(3), 1, Range(1, 6))));
        kit.Receive(1, new Entries(E(3), 1, [Batch(1, 1, 4), Batch(2, 5, 6)])).Exactly(
            Journals(Batch(1, 1, 3), committed: 6), To(2, new Fetch(E(3), 2, Range(4, 6))));
        kit.Receive(2, new Entries(E(3), 2, [Batch(3, 4, 6)])).Exactly(Journals(Batch(3, 4, 6), committed: 6));
    }

    [Fact]
    public void R6_nothing_beyond_the_committed_uid_is_asked_for_or_taken()
    {
        var kit = Zombie([Batch(1, 1, 2), Batch(1, 6, 7)]);
        // 3..5 are missing, but only the sequencer may send what is not committed.
        kit.Receive(1, new Commit(E(1), U(2))).Nothing();
        kit.Receive(1, new Commit(E(1), U(3))).Exactly(Asks(1, 1, 3, 3));
        kit.Receive(1, Sends(1, Batch(1, 3, 5))).Exactly(Journals(Batch(1, 3, 3), committed: 3));
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 3, highest: 7)));
    }

    [Fact]
    public void R6_entries_that_nobody_asked_for_are_ignored()
    {
        var kit = Gaps();
        // Of a range that was asked of somebody else. It is worth no more than no answer, and no storm of messages.
        kit.Receive(1, Sends(1, Batch(1, 8, 9))).Nothing();
        kit.Wait(10).Exactly(Asks(2, 3, 3, 5));
        kit = Gaps();
        kit.Receive(1, Sends(9, Batch(1, 3, 5))).Nothing();
        kit.Receive(2, Sends(1, Batch(1, 3, 5))).Nothing();
        kit.Receive(1, Sends(1, Batch(1, 3, 5)));
        // A late copy.
        kit.Receive(1, Sends(1, Batch(1, 3, 5))).Nothing();
    }

    [Fact]
    public void R6_entries_that_came_another_way_meanwhile_are_not_journalled_again()
    {
        var kit = Gaps();
        kit.Receive(1, Append(1, 8, 8, committed: 9)).Exactly(Journals(Batch(1, 8, 8), committed: 9));
        kit.Receive(2, Sends(2, Batch(1, 8, 9))).Exactly(Journals(Batch(1, 9, 9), committed: 9));
    }

    [Fact]
    public void R6_nothing_is_healed_between_a_promise_and_the_next_view()
    {
        var kit = Zombie([Batch(1, 1, 2)]).PromiseTo(2, epoch: 2);
        kit.Receive(1, new Commit(E(1), U(9))).Nothing();
        kit.Wait(500).Nothing();

        var asked = Gaps();
        asked.Receive(1, new RequestPromise(E(2), E(0)));
        asked.Receive(1, Sends(1, Batch(1, 3, 5))).Nothing();
    }

    [Fact]
    public void R6_a_test_can_choose_the_peers()
    {
        var kit = Zombie([]);
        kit.HealFrom(Node(2));
        kit.Receive(1, new Commit(E(1), U(4))).Exactly(Asks(2, 1, 1, 4));
        var cut = Zombie([]);
        cut.HealFrom();
        cut.Receive(1, new Commit(E(1), U(4))).Nothing();
        // It says so, and nobody wants it in a view; nothing else is cut.
        cut.Receive(1, Beat(1, round: 1, committed: 4)).Exactly(
            To(1, Ack(cut, 1, round: 1, contiguous: 0) with { CutOff = true }));
        cut.HealFrom(Node(1), Node(2)).Exactly(Asks(1, 1, 1, 4));
    }

    [Fact]
    public void R6_a_peer_sends_committed_entries_to_anybody_and_more_to_who_promised_the_same_epoch()
    {
        var kit = Follower(2, log: 5, committed: 3);
        kit.Receive(3, new Fetch(E(0), 7, Range(2, 9))).Exactly(To(3, new Entries(E(0), 7, [Batch(1, 2, 3)])));
        kit.Receive(3, new Fetch(E(1), 8, Range(2, 9))).Exactly(To(3, new Entries(E(1), 8, [Batch(1, 2, 5)])));
        kit.Receive(3, new Fetch(E(2), 9, Range(2, 9))).Exactly(To(3, new Entries(E(2), 9, [Batch(1, 2, 3)])));
        kit.Receive(3, new Fetch(E(1), 10, Range(6, 9))).Exactly(To(3, new Entries(E(1), 10, [])));
    }

    [Fact]
    public void R6_a_peer_sends_only_what_is_on_its_disk_and_without_a_gap()
    {
        var kit = Follower(2, log: 2);
        kit.Receive(1, Append(1, 3, 3));
        kit.Receive(3, new Fetch(E(1), 1, Range(1, 3))).Exactly(To(3, new Entries(E(1), 1, [Batch(1, 1, 2)])));
        kit.Receive(1, Append(1, 5, 5));
        kit.DiskCatchesUp();
        kit.Receive(3, new Fetch(E(1), 2, Range(1, 9))).Exactly(To(3, new Entries(E(1), 2, [Batch(1, 1, 3)])));
        kit.Receive(3, new Fetch(E(1), 3, Range(5, 5))).Exactly(To(3, new Entries(E(1), 3, [])));
    }

    [Fact]
    public void R6_an_answer_keeps_to_its_bounds_and_has_a_batch_for_each_epoch()
    {
        var view = View(2, 1, 3, [1, 2, 3], (1, 1), (2, 4));
        CoreKit Peer(Func<ProtocolOptions, ProtocolOptions>? options) =>
            CoreKit.Start(2, 3, Journal(view, Batch(1, 1, 3), Batch(2, 4, 6)), options);

        Peer(null).Receive(3, new Fetch(E(2), 1, Range(2, 6))).Exactly(
            To(3, new Entries(E(2), 1, [Batch(1, 2, 3), Batch(2, 4, 6)])));
        Peer(o => o with { FetchEntries = 3 }).Receive(3, new Fetch(E(2), 1, Range(2, 6))).Exactly(
            To(3, new Entries(E(2), 1, [Batch(1, 2, 3), Batch(2, 4, 4)])));
        Peer(o => o with { FetchBytes = 1 }).Receive(3, new Fetch(E(2), 1, Range(2, 6))).Exactly(
            To(3, new Entries(E(2), 1, [Batch(1, 2, 2)])));
    }

    [Fact]
    public void R6_what_has_left_memory_is_served_from_the_journal()
    {
        var kit = CoreKit.Start(
            2, 3, Journal(View1(), Batch(1, 1, 2), Batch(1, 3, 4), Batch(1, 5, 6)),
            o => o with { LogBytesInMemory = 0 });
        kit.Receive(1, new Commit(E(1), U(4)));
        Assert.Null(kit.Core.EntryAt(U(4)));
        // Fact 1 is the view; 2 to 4 hold the entries.
        kit.Receive(3, new Fetch(E(1), 1, Range(2, 3))).Exactly(
            new Effect.ServeFromJournal(Node(3), new Fetch(E(1), 1, Range(2, 3)), 2, 3));
        kit.Receive(3, new Fetch(E(0), 2, Range(4, 9))).Exactly(
            new Effect.ServeFromJournal(Node(3), new Fetch(E(0), 2, Range(4, 4)), 2, 3));
        kit.Receive(3, new Fetch(E(1), 3, Range(5, 9))).Exactly(To(3, new Entries(E(1), 3, [Batch(1, 5, 6)])));
    }
}
