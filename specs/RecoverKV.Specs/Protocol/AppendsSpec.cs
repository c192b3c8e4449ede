using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R3 Append: numbering, batches, what is journalled and what is acknowledged.</summary>
public sealed class AppendsSpec
{
    [Fact]
    public void R3_a_request_is_numbered_journalled_and_sent_at_once()
    {
        var kit = Sequencer(log: 3);
        kit.Submit(Ann, R(4)).Exactly(
            Journals(Batch(2, 4, 4), committed: 3), To(2, Append(2, 4, 4, committed: 3)),
            To(3, Append(2, 4, 4, committed: 3)));
        kit.Submit(Ann, R(5), R(6)).Exactly(
            Journals(Batch(2, 5, 6), committed: 3), To(2, Append(2, 5, 6, committed: 3)),
            To(3, Append(2, 5, 6, committed: 3)));
        Assert.Equal((U(3), U(3)), (kit.Core.Contiguous, kit.Core.Applied));
    }

    [Fact]
    public void R3_several_batches_are_in_flight_and_what_waits_goes_with_the_next()
    {
        var kit = Sequencer(options: o => o with { BatchRequests = 2, BatchesInFlight = 2 });
        kit.Submit(Ann, Rs(1, 7)).Exactly(
            Journals(Batch(2, 1, 2), committed: 0), To(2, Append(2, 1, 2)), To(3, Append(2, 1, 2)),
            Journals(Batch(2, 3, 4), committed: 0), To(2, Append(2, 3, 4)), To(3, Append(2, 3, 4)));

        // R4: the committed uid rides on the next batch.
        kit.AllAcknowledge(2).Exactly(
            Answers(Ann, 1), Answers(Ann, 2),
            Journals(Batch(2, 5, 6), committed: 2), To(2, Append(2, 5, 6, committed: 2)),
            To(3, Append(2, 5, 6, committed: 2)));
        kit.AllAcknowledge(6).Exactly(
            Answers(Ann, 3), Answers(Ann, 4), Answers(Ann, 5), Answers(Ann, 6),
            Journals(Batch(2, 7, 7), committed: 6), To(2, Append(2, 7, 7, committed: 6)),
            To(3, Append(2, 7, 7, committed: 6)));
    }

    [Fact]
    public void R3_batches_are_cut_by_bytes_but_a_single_request_may_be_larger()
    {
        var size = R(2).Encoded.Length;
        var kit = Sequencer(options: o => o with { BatchBytes = 2 * size });
        var large = Write(1, 9, Put("k9", new string('x', 3 * size)));
        Assert.Equal([[2L, 3L], [4L], [9L]], Numbered(kit.Submit(Ann, R(2), R(3), R(4), large, R(5))));
        Assert.Equal([[5L]], Numbered(kit.AllAcknowledge(2)));
    }

    [Fact]
    public void R3_a_batch_beside_others_has_at_least_half_as_many_requests_as_they_have()
    {
        var kit = Sequencer();
        Assert.Equal([[1L, 2L, 3L, 4L]], Numbered(kit.Submit(Ann, Rs(1, 4))));
        Assert.Empty(Numbered(kit.Submit(Ann, R(5))));
        Assert.Equal([[5L, 6L]], Numbered(kit.Submit(Ann, R(6))));
        Assert.Empty(Numbered(kit.Submit(Ann, R(7), R(8))));
        // Nothing waits while nothing is under way.
        Assert.Equal([[7L, 8L]], Numbered(kit.AllAcknowledge(6)));
    }

    [Fact]
    public void R3_what_is_in_flight_is_bounded_by_bytes_but_a_single_request_may_be_larger()
    {
        var size = R(2).Encoded.Length;
        var kit = Sequencer(options: o => o with { BatchBytes = 2 * size, BatchesInFlight = 2 });
        var large = Write(1, 1, Put("k1", new string('x', 9 * size)));
        // Heartbeats would wait behind all of it.
        Assert.Equal([[1L]], Numbered(kit.Submit(Ann, large, R(2), R(3), R(4), R(5))));
        Assert.Equal([[2L, 3L], [4L, 5L]], Numbered(kit.AllAcknowledge(1)));
    }

    private static long[][] Numbered(IEnumerable<Effect> effects) =>
        [.. effects.OfType<Effect.Journal>()
            .Select(j => ((EntriesAppended)j.Fact).Batch.Requests.Select(r => r.Number).ToArray())];

    [Fact]
    public void R3_beyond_the_bounds_of_admission_the_sequencer_is_busy()
    {
        var kit = Sequencer(options: o => o with { BatchRequests = 1, BatchesInFlight = 1, WaitingRequests = 2 });
        kit.Submit(Ann, Rs(1, 4)).Exactly(
            Refuses(Ann, R(3), WriteStatus.Busy), Refuses(Ann, R(4), WriteStatus.Busy),
            Journals(Batch(2, 1, 1), committed: 0), To(2, Append(2, 1, 1)), To(3, Append(2, 1, 1)));
        // One was numbered, so there is room for one.
        kit.Submit(Bob, R(3), R(4)).Exactly(Refuses(Bob, R(4), WriteStatus.Busy));

        var bytes = Sequencer(options: o => o with { BatchRequests = 1, BatchesInFlight = 1, WaitingBytes = 1 });
        bytes.Submit(Ann, R(1), R(2)).OfType<Effect.AnswerWrite>().ToArray<Effect>().Exactly(
            Refuses(Ann, R(2), WriteStatus.Busy));
    }

    [Fact]
    public void R3_what_waits_for_the_next_view_is_bounded_too()
    {
        // n1 leads on by a new view, as n3 is silent; its campaign is under way.
        CoreKit Campaigning(Func<ProtocolOptions, ProtocolOptions> options)
        {
            var kit = Sequencer(log: 1, options: options);
            kit.RunUntil(Sends<Canvass>, contiguous: 1, 2);
            kit.Receive(2, new CanvassReply(E(3), true, E(2)));
            Assert.False(kit.Core.IsSequencer);
            return kit;
        }

        var count = Campaigning(o => o with { WaitingRequests = 1 });
        count.Submit(Ann, R(2)).Nothing();
        count.Submit(Bob, R(3), R(4)).Exactly(Refuses(Bob, R(4), WriteStatus.Busy));
        var bytes = Campaigning(o => o with { WaitingBytes = (R(2).Encoded.Length + 1) / 2 });
        bytes.Submit(Ann, R(2)).Nothing();
        bytes.Submit(Bob, R(3), R(4)).Exactly(Refuses(Bob, R(4), WriteStatus.Busy));
        // Who asks again for what waits takes no room.
        bytes.Submit(Bob, R(2)).Nothing();
    }

    [Fact]
    public void R3_one_client_takes_three_quarters_of_the_room_and_gets_it_back()
    {
        var greedy = new Caller("greedy");
        var kit = Sequencer(options: o => o with { BatchRequests = 1, BatchesInFlight = 1, WaitingRequests = 8 });
        Assert.Equal(
            [R(7).Number, R(8).Number],
            kit.Submit(greedy, Rs(1, 8)).OfType<Effect.AnswerWrite>().Select(a => a.Answer.Number));
        // Others have room, and it is theirs: also of what was asked for by the greedy one before.
        kit.Submit(Ann, R(7), R(6)).Nothing();
        kit.Submit(greedy, R(8)).Nothing();
        kit.Submit(greedy, R(9)).Exactly(Refuses(greedy, R(9), WriteStatus.Busy));
        kit.DiskCatchesUp();
        kit.Receive(2, new Appended(E(2), U(1), U(1)));
        Assert.Contains(
            kit.Receive(3, new Appended(E(2), U(1), U(1))), e => e is Effect.AnswerWrite { Answer.Number: 1 });
        kit.Submit(greedy, R(9)).Nothing();

        var large = new Caller("large");
        var five = Rs(1, 5);
        var bytes = Sequencer(
            options: o => o with
            {
                BatchRequests = 1,
                BatchesInFlight = 1,
                WaitingBytes = (five[..3].Sum(r => r.Encoded.Length) - 1) * 4 / 3
            });
        Assert.Equal([4, 5], bytes.Submit(large, five).OfType<Effect.AnswerWrite>().Select(a => a.Answer.Number));
        bytes.Submit(Ann, R(4)).Nothing();
    }

    [Fact]
    public void R3_only_a_sequencer_takes_writes()
    {
        Follower().Submit(Ann, R(1)).Exactly(Refuses(Ann, R(1), WriteStatus.NotSequencer));
        CoreKit.Start(1, 3, []).Submit(Ann, R(1)).Exactly(Refuses(Ann, R(1), WriteStatus.NotSequencer));
    }

    [Fact]
    public void R3_what_breaks_a_limit_is_refused_and_the_rest_is_taken()
    {
        var kit = Sequencer(options: o => o with { MaxKeyBytes = 4, MaxValueBytes = 5, MaxRequestBytes = 100 });
        WriteRequest[] bad =
        [
            Write(1, 1, Put("", "v")),
            Write(1, 2, Put("12345", "v")),
            Write(1, 3, Put("k", "123456")),
            Write(1, 4),
            RecoverKV.Client.Contracts.WriteRequestCodec.Create(1, 8, lowWater: 9, [Put("k", "v")]),
            RecoverKV.Client.Contracts.WriteRequestCodec.Create(1, 10, lowWater: -1, [Put("k", "v")]),
            Write(1, 0, Put("k", "v")),
            Write(-1, 1, Put("k", "v")),
            Write(0, 5, Put("k", "v")),
            Write(1, 6, [.. Enumerable.Range(0, 20).Select(i => Put($"{i}", "v"))]),
            Write(1, 7, new WriteOperation((OperationKind)9, "k", default)),
        ];
        var effects = kit.Submit(Ann, [.. bad, R(1)]);
        var refused = effects.OfType<Effect.AnswerWrite>().Select(a => a.Answer).ToArray();
        Assert.Equal(bad.Select(r => (r.Session, r.Number)), refused.Select(a => (a.Session, a.Number)));
        Assert.All(refused, a => Assert.Equal((WriteStatus.Invalid, false), (a.Status, string.IsNullOrEmpty(a.Text))));
        effects[bad.Length..].Exactly(
            Journals(Batch(2, 1, 1), committed: 0), To(2, Append(2, 1, 1)), To(3, Append(2, 1, 1)));
    }

    [Fact]
    public void R3_a_zombie_gets_the_tail_like_everybody_once_it_was_heard()
    {
        var kit = Sequencer(inSync: [1, 2], log: 3);
        kit.Submit(Ann, R(4)).Exactly(Journals(Batch(2, 4, 4), committed: 3), To(2, Append(2, 4, 4, committed: 3)));
        kit.Receive(3, Ack(kit, 2, round: 1, contiguous: 0));
        kit.Submit(Ann, R(5)).Exactly(
            Journals(Batch(2, 5, 5), committed: 3), To(2, Append(2, 5, 5, committed: 3)),
            To(3, Append(2, 5, 5, committed: 3)));
    }

    [Fact]
    public void R3_a_replica_acknowledges_what_is_on_disk()
    {
        var kit = Follower(2, log: 2);
        kit.Receive(1, Append(1, 3, 4)).Exactly(Journals(Batch(1, 3, 4), committed: 0));
        kit.Receive(1, Append(1, 5, 5)).Exactly(Journals(Batch(1, 5, 5), committed: 0));
        // Not even in the acknowledgement of a heartbeat does it count before.
        kit.Receive(1, Beat(1)).Exactly(To(1, Ack(kit, 1, round: 1, contiguous: 2)));
        kit.DiskReaches(3).Exactly(To(1, Appended(1, 4)));
        kit.DiskReaches(4).Exactly(To(1, Appended(1, 5)));
    }

    [Fact]
    public void R3_an_acknowledgement_that_waited_for_the_disk_is_not_given_in_the_name_of_a_later_view()
    {
        var kit = Follower(3);
        kit.Receive(1, Append(1, 1, 1)).Exactly(Journals(Batch(1, 1, 1), 0));
        kit.Receive(2, new InstallView(View(2, 2, 3, [1, 2], (1, 1), (2, 2))));
        // The entry is on disk, and the view is not.
        kit.DiskReaches(2).Nothing();
        kit.DiskCatchesUp().Exactly(To(2, new AcceptedView(E(2))));
    }

    [Fact]
    public void R3_a_batch_beyond_a_gap_is_journalled_but_not_acknowledged()
    {
        var kit = Follower(2, log: 2);
        kit.Receive(1, Append(1, 5, 6)).Exactly(Journals(Batch(1, 5, 6), committed: 0));
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 2, highest: 6)));
        kit.Receive(1, Append(1, 3, 4)).Exactly(Journals(Batch(1, 3, 4), committed: 0));
        kit.DiskCatchesUp().Exactly(To(1, Appended(1, 6)));
        Assert.Equal(U(6), kit.Core.Contiguous);

        // The journal, ordered by arrival, gives the same log back.
        Assert.Equal(U(6), CoreKit.Start(2, 3, kit.OnDisk).Core.Contiguous);
    }

    [Fact]
    public void R3_a_zombie_far_behind_lets_the_tail_pass_and_an_in_sync_member_takes_everything()
    {
        var zombie = Zombie([]);
        zombie.Receive(1, Append(1, 65_536, 65_536)).Exactly(To(1, Appended(1, 0)));
        zombie.Receive(1, Append(1, 65_535, 65_535)).Exactly(Journals(Batch(1, 65_535, 65_535), committed: 0));
        Follower(2).Receive(1, Append(1, 65_536, 65_536)).Exactly(Journals(Batch(1, 65_536, 65_536), committed: 0));
    }

    [Fact]
    public void R3_entries_that_are_held_are_not_journalled_again_and_acknowledged_again()
    {
        var kit = Follower(2, log: 3);
        kit.Receive(1, Append(1, 1, 3)).Exactly(To(1, Appended(1, 3)));
        kit.Receive(1, Append(1, 2, 5)).Exactly(Journals(Batch(1, 4, 5), committed: 0));
        kit.Receive(1, Append(1, 2, 5)).Nothing();
        var acknowledged = To(1, Appended(1, 5));
        kit.DiskCatchesUp().Exactly(acknowledged, acknowledged);
    }

    [Fact]
    public void R3_a_batch_is_taken_from_the_sequencer_of_the_accepted_view_only()
    {
        var kit = Follower(2);
        kit.Receive(3, Append(1, 1, 1)).Nothing();
        kit.Receive(3, Append(2, 1, 1)).Exactly(To(3, new ViewWanted(E(2))));
        kit.Receive(1, Append(0, 1, 1)).Exactly(To(1, new Refuse(E(0), E(1))));
        Assert.Single(kit.Journal);
    }

    [Fact]
    public void R3_R6_what_an_in_sync_member_lacks_is_sent_again_at_once_when_it_shows_a_gap()
    {
        var kit = Sequencer(options: o => o with { BatchRequests = 1 });
        kit.Submit(Ann, Rs(1, 4));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(2, 4));
        kit.Receive(3, Appended(2, 1, highest: 3));
        kit.Wait(10).Exactly(To(3, Append(2, 2, 4, committed: 1)));
        Assert.DoesNotContain(kit.Wait(190), Sends<Append>);
        Assert.Equal(
            [.. new[] { Text.Of(Append(2, 2, 4, committed: 1)) }],
            kit.Wait(10).SentTo(3).OfType<Append>().Select(Text.Of));
        kit.Receive(3, Appended(2, 4));
        Assert.DoesNotContain(kit.Wait(400), Sends<Append>);
    }

    [Fact]
    public void R3_what_an_in_sync_member_does_not_acknowledge_is_sent_again_after_a_while()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1), R(2));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(2, 2));
        kit.Wait(190);
        Assert.Equal([Text.Of(Append(2, 1, 2))], kit.Wait(10).SentTo(3).OfType<Append>().Select(Text.Of));
    }

    [Fact]
    public void R3_what_a_thin_link_still_carries_is_not_sent_again()
    {
        var kit = Sequencer(options: o => o with { Lease = Ms(3000), SilenceLimit = Ms(60_000) });
        kit.Submit(Ann, Write(1, 1, Put("k1", new string('x', 1024 * 1024))));
        kit.DiskCatchesUp();
        kit.Receive(2, Appended(2, 1));
        Assert.DoesNotContain(kit.Wait(1200), Sends<Append>);
        // It may be lost all the same; and the link may be thinner still.
        Assert.Contains(kit.Wait(100), Sends<Append>);
        Assert.DoesNotContain(kit.Wait(2100), Sends<Append>);
        Assert.Contains(kit.Wait(200), Sends<Append>);
    }

    [Fact]
    public void R3_what_is_not_on_the_own_disk_is_not_sent_again()
    {
        var kit = Sequencer();
        kit.Submit(Ann, R(1), R(2));
        Assert.DoesNotContain(kit.Wait(500), Sends<Append>);
    }

    [Fact]
    public void R6_the_sequencer_does_not_send_again_to_a_zombie()
    {
        var kit = Sequencer(inSync: [1, 2], log: 3);
        kit.Receive(3, Appended(2, 0, highest: 2));
        Assert.DoesNotContain(kit.Wait(500), Sends<Append>);
    }
}
