using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;
using static RecoverKV.Specs.Protocol.Roles;

namespace RecoverKV.Specs.Protocol;

/// <summary>R5 Read: who answers, and what a read waits for.</summary>
public sealed class ReadsSpec
{
    private static readonly Batch Fourth = new(E(1), U(4), [Write(1, 4, Put("k3", "new"))]);

    [Fact]
    public void R5_a_replica_with_a_lease_answers_at_once_from_memory()
    {
        var kit = Alive(2, log: 3, committed: 3);
        kit.Read(Ann, "k3").Exactly(Reads(Ann, V(3)));
        kit.Read(Ann, "absent", id: 2).Exactly(Reads(Ann, null, id: 2));
        var many = new Read(3, ["k2", "absent", "k3"]);
        kit.Read(Ann, ReadConsistency.Linearizable, many).Exactly(Answers(Ann, many, age: 0, V(2), null, V(3)));
    }

    [Fact]
    public void R5_a_replica_without_a_lease_answers_no_linearizable_read()
    {
        Follower(2, log: 3, committed: 3).Read(Ann, "k3").Exactly(RefusesRead(Ann));
        CoreKit.Start(1, 3, []).Read(Ann, "k").Exactly(RefusesRead(Ann));
        var kit = Alive(2, log: 3, committed: 3);
        // The lease counts at the moment of the read, whether or not a tick came since it ended.
        kit.Later(900);
        kit.Read(Ann, "k3").Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R5_a_read_waits_for_an_uncommitted_write_to_its_key_that_is_on_this_disk()
    {
        var kit = Alive(2, log: 3, committed: 3);
        kit.Receive(1, new Append(E(1), Fourth, U(3)));
        // Not on this disk, so not acknowledged, so not committed.
        kit.Read(Ann, "k3").Exactly(Reads(Ann, V(3)));

        kit.DiskCatchesUp();
        kit.Read(Ann, "k3").Nothing();
        kit.Read(Bob, "k2").Exactly(Reads(Bob, V(2)));
        kit.Receive(1, new Commit(E(1), U(4))).Exactly(Reads(Ann, V("new", 4)));
        kit.Read(Bob, "k3").Exactly(Reads(Bob, V("new", 4)));
    }

    [Fact]
    public void R5_a_read_of_several_keys_waits_for_the_last_of_their_writes()
    {
        var kit = Alive(2, log: 5, committed: 3);
        var read = new Read(1, ["k2", "k5", "k4"]);
        kit.Read(Ann, ReadConsistency.Linearizable, read).Nothing();
        kit.Receive(1, new Commit(E(1), U(4))).Nothing();
        kit.Receive(1, new Commit(E(1), U(5))).Exactly(Answers(Ann, read, age: 0, V(2), V(5), V(4)));
    }

    [Fact]
    public void R5_a_sequencer_s_reads_wait_like_everybody_s()
    {
        var kit = Sequencer(log: 3);
        kit.RunUntil(e => e is Effect.Send { Message: Heartbeat { LeaseRun: not 0 } }, contiguous: 3, 2, 3);
        Assert.Equal(NodeMode.Alive, kit.Mode);
        kit.Submit(Bob, Write(1, 4, Put("k3", "new")));
        kit.Read(Ann, "k3").Exactly(Reads(Ann, V(3)));
        kit.DiskCatchesUp();
        kit.Read(Ann, "k3", id: 2).Nothing();
        kit.Receive(2, Appended(2, 4)).Nothing();
        var effects = kit.Receive(3, Appended(2, 4));
        Assert.Equal(Text.Of(Reads(Ann, V("new", 4), id: 2)), Text.Of(effects.Single(e => e is Effect.AnswerRead)));
    }

    [Fact]
    public void R5_a_waiting_read_is_refused_when_the_lease_runs_out()
    {
        var kit = Alive(2, log: 3, committed: 2);
        kit.Read(Ann, "k3").Nothing();
        kit.Wait(890).Nothing();
        kit.Wait(10).Exactly(RefusesRead(Ann));
        kit.Receive(1, new Commit(E(1), U(3))).Nothing();
    }

    [Fact]
    public void R5_a_waiting_read_is_not_served_by_a_commit_after_the_lease()
    {
        var kit = Alive(2, log: 3, committed: 2);
        kit.Read(Ann, "k3").Nothing();
        kit.Later(900);
        kit.Receive(1, new Commit(E(1), U(3))).Exactly(RefusesRead(Ann));
    }

    [Fact]
    public void R5_a_waiting_read_is_refused_with_a_promise_and_with_a_new_view()
    {
        var promised = Alive(2, log: 3, committed: 2);
        promised.Read(Ann, "k3").Nothing();
        promised.Receive(1, new RequestPromise(E(2), E(0))).Exactly(
            RefusesRead(Ann), Journals(new Promised(E(2), Node(1))));

        var installed = Alive(2, log: 3, committed: 2);
        installed.Read(Ann, "k3").Nothing();
        var view = View(2, 1, 3, [1, 3], (1, 1), (2, 4));
        installed.Receive(1, new InstallView(view)).Exactly(
            RefusesRead(Ann), Journals(new ViewAccepted(view, [], U(2))));
    }

    [Fact]
    public void R5_after_a_restart_reads_wait_for_what_was_on_the_disk()
    {
        // This replica had acknowledged uid 3: it may be committed and answered elsewhere.
        var kit = Alive(2, log: 3, committed: 0);
        kit.Read(Ann, "k3").Nothing();
        var effects = kit.Receive(1, Beat(1, echo: kit.Now, committed: 3));
        var mark = new DataMark(U(3), kit.Core.Digest, 1);
        effects.Exactly(Reads(Ann, V(3)), To(1, Ack(kit, 1, round: 1, contiguous: 3) with { Mark = mark }));
    }

    [Fact]
    public void R5_R7_after_a_restart_reads_wait_for_what_took_the_place_of_orphans()
    {
        // View 2 dropped 7; a later election dropped 5 and 6; view 3 gave both to other requests.
        var later = new Batch(E(3), U(5), [Write(1, 50, Put("x", "5")), Write(1, 60, Put("y", "6"))]);
        var kit = CoreKit.Start(2, 3,
        [
            .. Journal(View1(), Batch(1, 1, 6), new Batch(E(1), U(8), [R(8)])),
            new ViewAccepted(View(2, 1, 3, [1, 2, 3], (1, 1), (2, 7)), [Range(8, 8)], U(4)),
            new Promised(E(3), Node(3)),
            new OrphansDropped([Range(5, 6)]),
            new ViewAccepted(View(3, 3, 3, [2, 3], (1, 1), (3, 5)), [], U(4)),
            new EntriesAppended(later, U(4)),
        ]);
        Assert.Equal((U(6), U(4)), (kit.Core.Contiguous, kit.Core.Applied));
        kit.Receive(3, Beat(3, echo: kit.Now, committed: 4));
        kit.Read(Ann, "x").Nothing();
        kit.Read(Bob, "y").Nothing();
        kit.Read(Bob, "k6").Exactly(Reads(Bob, null));
        kit.Receive(3, new Commit(E(3), U(6))).Exactly(Reads(Ann, V("5", 5)), Reads(Bob, V("6", 6)));
    }

    [Fact]
    public void R5_stale_reads_need_no_lease_and_bound_their_age_by_an_echoed_reading()
    {
        var kit = Follower(2, log: 3, committed: 2);
        kit.Read(Ann, "k2", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(2), age: -1));

        var clock = kit.Now;
        kit.Later(40);
        kit.Receive(1, Beat(1, echo: clock, committed: 2));
        kit.Later(2);
        kit.Read(Ann, "k2", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(2), age: 42));
        // An uncommitted write is not seen, and not waited for.
        kit.Read(Ann, "k3", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, null, age: 42));
        kit.Later(10_000);
        kit.Read(Ann, "k2", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(2), age: 10_042));
    }

    [Fact]
    public void R5_an_echo_makes_the_state_fresh_once_what_was_committed_then_is_applied()
    {
        var kit = Zombie([Batch(1, 1, 2)]);
        kit.Receive(1, Beat(1, echo: kit.Now, committed: 3));
        kit.Read(Ann, "k2", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(2), age: -1));
        kit.Later(30);
        kit.Receive(1, new Entries(E(1), 1, [Batch(1, 3, 3)]));
        kit.Read(Ann, "k2", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(2), age: -1));
        kit.DiskCatchesUp();
        kit.Read(Ann, "k3", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(3), age: 30));
    }

    [Fact]
    public void R5_a_sequencer_that_has_not_committed_its_predecessor_s_log_makes_no_state_fresh()
    {
        // Uid 3 may have been committed, and answered, in the view before; the new sequencer does not know yet.
        var kit = Follower(2, log: 3, committed: 2, view: View(2, 1, 3, [1, 2, 3], (1, 1), (2, 4)));
        kit.Receive(1, Beat(2, echo: kit.Now, committed: 2));
        kit.Read(Ann, "k3", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, null, age: -1));
        kit.Receive(1, Beat(2, echo: kit.Now, committed: 3));
        kit.Read(Ann, "k3", consistency: ReadConsistency.Stale).Exactly(Reads(Ann, V(3), age: 0));
    }

    [Fact]
    public void R5_reads_that_break_a_limit_are_refused()
    {
        var kit = Alive(2, options: o => o with { MaxKeyBytes = 4 });
        foreach (var read in new[] { new Read(1, []), new Read(2, [""]), new Read(3, ["12345"]) })
        {
            var answer = Assert.IsType<Effect.AnswerRead>(
                Assert.Single(kit.Read(Ann, ReadConsistency.Linearizable, read))).Answer;
            Assert.Equal((read.Id, ReadStatus.Invalid), (answer.Id, answer.Status));
            Assert.False(string.IsNullOrEmpty(answer.Text));
        }
    }

    [Fact]
    public void R5_no_more_reads_wait_than_the_bound()
    {
        var kit = Alive(2, log: 3, committed: 2, options: o => o with { WaitingReads = 1 });
        kit.Read(Ann, "k3").Nothing();
        kit.Read(Bob, "k3").Exactly(RefusesRead(Bob, status: ReadStatus.Busy));
        kit.Read(Bob, "k2").Exactly(Reads(Bob, V(2)));
        kit.Scan(Bob, new ScanRequest(1, ReadConsistency.Linearizable, default, 10)).Exactly(
            new Effect.AnswerScan(Bob, new ScanReply(1, ReadStatus.Busy, [], default)));
    }

    [Fact]
    public void R5_one_client_has_three_quarters_of_the_room_for_reads_and_gets_it_back()
    {
        var greedy = new Caller("greedy");
        var kit = Alive(2, log: 3, committed: 2, options: o => o with { WaitingReads = 4 });
        for (var i = 1; i <= 3; i++) kit.Read(greedy, "k3", id: i).Nothing();
        kit.Read(greedy, "k3", id: 4).Exactly(RefusesRead(greedy, id: 4, status: ReadStatus.Busy));
        kit.Read(Ann, "k3").Nothing();
        Assert.Equal(4, kit.Receive(1, new Commit(E(1), U(3))).Length);
        kit.Receive(1, Append(1, 4, 4, committed: 3));
        kit.DiskCatchesUp();
        for (var again = 0; again < 2; again++)
        {
            for (var i = 1; i <= 3; i++) kit.Read(greedy, "k4", id: i).Nothing();
            kit.Read(greedy, "k4", id: 4).Exactly(RefusesRead(greedy, id: 4, status: ReadStatus.Busy));
            // They are refused when the lease ends.
            kit.Later(900);
            Assert.Equal(3, kit.Tick().OfType<Effect.AnswerRead>().Count());
            kit.Receive(1, Beat(1, echo: kit.Now, committed: 3, round: 2 + again));
        }

        var bytes = Alive(2, log: 3, committed: 2, options: o => o with { WaitingReadBytes = 800, MaxKeyBytes = 1000 });
        for (var i = 1; i <= 3; i++) bytes.Read(greedy, "k3", id: i).Nothing();
        bytes.Read(greedy, "k3", id: 4).Exactly(RefusesRead(greedy, id: 4, status: ReadStatus.Busy));
        bytes.Read(Ann, "k3").Nothing();
    }

    [Fact]
    public void R5_no_more_bytes_of_reads_wait_than_the_bound()
    {
        var kit = Alive(2, log: 3, committed: 2, options: o => o with { WaitingReadBytes = 400, MaxKeyBytes = 1000 });
        var large = new Read(2, ["k3", new string('x', 200)]);
        kit.Read(Ann, ReadConsistency.Linearizable, large).Exactly(RefusesRead(Ann, id: 2, status: ReadStatus.Busy));
        kit.Read(Ann, "k3").Nothing();
        kit.Scan(Bob, new ScanRequest(1, ReadConsistency.Linearizable, default, 10)).Nothing();
        kit.Scan(Bob, new ScanRequest(2, ReadConsistency.Linearizable, default, 10)).Exactly(
            new Effect.AnswerScan(Bob, new ScanReply(2, ReadStatus.Busy, [], default)));
        Assert.Equal(2, kit.Receive(1, new Commit(E(1), U(3))).Length);
        // There is room again, also after waiting reads were refused.
        kit.Receive(1, Append(1, 4, 4, committed: 3));
        kit.DiskCatchesUp();
        for (var again = 0; again < 2; again++)
        {
            kit.Read(Ann, "k4").Nothing();
            kit.Read(Bob, "k4").Nothing();
            kit.Read(Bob, "k4", id: 3).Exactly(RefusesRead(Bob, id: 3, status: ReadStatus.Busy));
            kit.Later(900);
            kit.Tick().Exactly(RefusesRead(Ann), RefusesRead(Bob));
            kit.Receive(1, Beat(1, echo: kit.Now, committed: 3, round: 2 + again));
        }
    }

    [Fact]
    public void R5_a_read_that_waits_does_not_keep_the_message_that_it_came_with()
    {
        var kit = Alive(2, log: 3, committed: 2);
        var message = "k3 and 4 MiB more"u8.ToArray();
        kit.Read(
            Ann, ReadConsistency.Linearizable,
            new Read(1, [new RecoverKV.Client.Key(message.AsMemory(0, 2))])).Nothing();
        Array.Clear(message);
        kit.Receive(1, new Commit(E(1), U(3))).Exactly(Reads(Ann, V(3)));
    }

    [Fact]
    public void R5_a_scan_gives_every_key_once_in_pages()
    {
        var kit = Alive(2, log: 6, committed: 6);
        var keys = new List<string>();
        ReadOnlyMemory<byte> cursor = default;
        var pages = 0;
        do
        {
            var page = Page(kit, new ScanRequest(7, ReadConsistency.Linearizable, cursor, 2));
            Assert.Equal((7L, ReadStatus.Done), (page.Id, page.Status));
            keys.AddRange(page.Items.Select(i => i.Key.ToString()));
            cursor = page.Next;
            pages++;
        }
        while (!cursor.IsEmpty);

        Assert.Equal(["k2", "k3", "k4", "k5", "k6"], keys);
        Assert.Equal(3, pages);
    }

    [Fact]
    public void R5_a_page_of_a_scan_keeps_to_the_size_of_an_answer()
    {
        var kit = Alive(2, log: 6, committed: 6, options: o => o with { AnswerBytes = 100 });
        var page = Page(kit, new ScanRequest(7, ReadConsistency.Linearizable, default, 10));
        Assert.InRange(page.Items.Count, 1, 3);
        Assert.False(page.Next.IsEmpty);
    }

    [Fact]
    public void R5_a_scan_whose_range_is_none_is_refused()
    {
        var kit = Alive(2, log: 6, committed: 6);
        var scan = new ScanRequest(1, ReadConsistency.Linearizable, default, 2);
        var reversed = KeyRange.OfBounds("b"u8.ToArray(), "a"u8.ToArray());
        Assert.Equal(
            (ReadStatus.Invalid, "a range ends before its begin"),
            (Page(kit, scan with { Range = reversed }).Status, Page(kit, scan with { Range = reversed }).Text));
        // What stands next behind the longest key has a byte more than that.
        var behindTheLongest = KeyRange.Prefix(new byte[kit.Core.Options.MaxKeyBytes + 1]);
        Assert.Equal(ReadStatus.Done, Page(kit, scan with { Range = behindTheLongest }).Status);
        var tooLong = KeyRange.Prefix(new byte[kit.Core.Options.MaxKeyBytes + 2]);
        Assert.Equal(ReadStatus.Invalid, Page(kit, scan with { Range = tooLong }).Status);
    }

    [Fact]
    public void R5_a_scan_waits_for_all_uncommitted_writes_on_this_disk()
    {
        var kit = Alive(2, log: 4, committed: 3);
        var scan = new ScanRequest(1, ReadConsistency.Linearizable, default, 10);
        kit.Scan(Ann, scan).Nothing();
        Assert.Equal(2, Page(kit, scan with { Consistency = ReadConsistency.Stale }).Items.Count);
        var reply = Assert.IsType<Effect.AnswerScan>(Assert.Single(kit.Receive(1, new Commit(E(1), U(4))))).Reply;
        Assert.Equal(3, reply.Items.Count);

        kit.Later(900);
        kit.Scan(Ann, scan).Exactly(new Effect.AnswerScan(Ann, new ScanReply(1, ReadStatus.NotAlive, [], default)));
    }

    private static ScanReply Page(CoreKit kit, ScanRequest request) =>
        Assert.IsType<Effect.AnswerScan>(Assert.Single(kit.Scan(Ann, request))).Reply;
}
