using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary><see cref="EntryLog"/> against a plain dictionary from uid to entry and fact.</summary>
public sealed class EntryLogSpec
{
    private abstract record Change
    {
        public sealed record Append(int First, int Count) : Change;

        public sealed record Persist(int Facts) : Change;

        public sealed record Drop(int First, int Count) : Change;

        public sealed record Apply(int Entries) : Change;

        public sealed record Evict(int Entries) : Change;
    }

    private static readonly Gen<Change[]> Changes = Gen.Frequency(
        (5, Gen.Select(Gen.Int[1, 30], Gen.Int[1, 6], Change (f, c) => new Change.Append(f, c))),
        (4, Gen.Int[1, 4].Select(Change (f) => new Change.Persist(f))),
        (1, Gen.Select(Gen.Int[1, 30], Gen.Int[1, 6], Change (f, c) => new Change.Drop(f, c))),
        (2, Gen.Int[1, 10].Select(Change (e) => new Change.Apply(e))),
        (1, Gen.Int[0, 10].Select(Change (e) => new Change.Evict(e)))).Array[0, 40];

    private sealed class Run
    {
        public EntryLog Log { get; } = new(LogBase.None);
        public SortedDictionary<long, (long Epoch, WriteRequest Request, long Fact)> Model { get; } = [];
        public Dictionary<long, (long First, long Last)> Facts { get; } = [];
        public List<Fact> Journal { get; } = [];
        public long Fact { get; private set; }
        public long Persisted { get; private set; }
        public long Applied { get; private set; }

        public IEnumerable<long> Durable => Model.Where(e => e.Value.Fact <= Persisted).Select(e => e.Key);

        public long Contiguous => Prefix(Durable);

        public Run(Change[] changes)
        {
            foreach (var change in changes) Do(change);
        }

        private static long Prefix(IEnumerable<long> ascending)
        {
            long last = 0;
            foreach (var uid in ascending)
            {
                if (uid != last + 1) break;
                last = uid;
            }

            return last;
        }

        private void Do(Change change)
        {
            switch (change)
            {
                case Change.Append append:
                    // The epoch tells which attempt at a uid it is.
                    var batch = new Batch(
                        E(Fact + 1), U(append.First), Rs(append.First, append.First + append.Count - 1));
                    foreach (var part in Log.Lacking(batch).ToArray())
                    {
                        Log.Append(part, ++Fact);
                        Journal.Add(new EntriesAppended(part, U(0)));
                        Facts.Add(Fact, (part.First.Value, part.Last.Value));
                        for (var i = 0; i < part.Requests.Count; i++)
                            Model.Add(part.First.Value + i, (part.Epoch.Value, part.Requests[i], Fact));
                    }

                    break;
                case Change.Persist persist:
                    Persisted = Math.Min(Fact, Persisted + persist.Facts);
                    Log.Persisted(Persisted);
                    break;
                case Change.Drop drop when drop.First > Applied:
                    Log.Drop(Range(drop.First, drop.First + drop.Count - 1));
                    for (var uid = drop.First; uid < drop.First + drop.Count; uid++) Model.Remove(uid);
                    break;
                case Change.Apply apply:
                    for (var i = 0; i < apply.Entries && Model.ContainsKey(Applied + 1); i++) Log.Applied(U(++Applied));
                    break;
                case Change.Evict evict:
                    Log.Evict(U(Applied), bytes: evict.Entries * 300L);
                    break;
            }
        }
    }

    private static IEnumerable<long> Numbers(UidSet set) => set.Ranges.SelectMany(Numbers);

    private static IEnumerable<long> Numbers(UidRange range)
    {
        for (var uid = range.First.Value; uid <= range.Last.Value; uid++) yield return uid;
    }

    [Fact]
    public void It_holds_what_was_appended_and_counts_as_durable_what_its_own_fact_made_so() =>
        Changes.Sample(changes =>
        {
            var run = new Run(changes);
            Assert.Equal(run.Model.Keys, Numbers(run.Log.Held));
            // A uid that was dropped and appended anew is durable with its second fact, not with its first.
            Assert.Equal(run.Durable, Numbers(run.Log.Durable));
        });

    [Fact]
    public void Every_held_entry_is_in_memory_but_for_the_evicted_prefix() => Changes.Sample(changes =>
    {
        var run = new Run(changes);
        Assert.InRange(run.Log.MemoryFrom.Value, 1, run.Contiguous + 1);
        for (long uid = 1; uid < 40; uid++)
        {
            var expected = uid >= run.Log.MemoryFrom.Value && run.Model.TryGetValue(uid, out var entry)
                ? $"{entry.Epoch} {Text.Of(entry.Request)}"
                : null;
            Assert.Equal(expected, run.Log.Find(U(uid)) is { } held ? $"{held.Epoch} {Text.Of(held.Request)}" : null);
        }
    });

    [Fact]
    public void An_applied_entry_does_not_keep_the_message_that_it_came_with()
    {
        var message = WriteRequestCodec.Create(
            1, 1, 0, [new(OperationKind.Put, "k", "v"u8.ToArray())]).Encoded.ToArray();
        var log = new EntryLog(LogBase.None);
        log.Append(new Batch(E(1), U(1), [WriteRequestCodec.Decode(message)]), 1);
        var before = Text.Of(log[U(1)].Request);
        log.Applied(U(1));

        Array.Clear(message);

        Assert.Equal(before, Text.Of(log[U(1)].Request));
    }

    [Fact]
    public void What_was_evicted_does_not_come_back_at_another_uid()
    {
        var log = new EntryLog(LogBase.None);
        log.Append(Batch(1, 1, 2100), 1);
        log.Persisted(1);
        for (var uid = 1; uid <= 2100; uid++) log.Applied(U(uid));
        log.Evict(U(2100), 0);
        Assert.Equal(0, log.BytesInMemory);

        log.Append(Batch(1, 5000, 5000), 2);

        Assert.Equal(5000, Assert.Single(Enumerable.Range(1, 6000), uid => log.Find(U(uid)) is not null));
    }

    [Fact]
    public void Lacking_is_what_is_not_held_and_wanted() =>
        Gen.Select(Changes, Gen.Int[1, 30], Gen.Int[0, 8], Gen.Int[1, 4]).Sample(
            (changes, first, more, every) =>
            {
                var run = new Run(changes);
                bool Wanted(long uid) => uid % every == 0;
                var batch = Batch(7, first, first + more);
                var parts = run.Log.Lacking(batch, uid => Wanted(uid.Value)).ToArray();
                Assert.Equal(
                    Numbers(Range(first, first + more)).Where(n => Wanted(n) && !run.Model.ContainsKey(n)),
                    parts.SelectMany(p => Numbers(new UidRange(p.First, p.Last))));
                Assert.All(parts, p => Assert.Equal(Text.Of(Batch(7, p.First.Value, p.Last.Value)), Text.Of(p)));
            });

    [Fact]
    public void It_reads_runs_of_durable_entries_from_memory() =>
        Gen.Select(Changes, Gen.Int[1, 30], Gen.Int[0, 12], Gen.Int[1, 6]).Sample((changes, first, more, most) =>
        {
            var run = new Run(changes);
            first = Math.Max(first, (int)run.Log.MemoryFrom.Value);
            var batches = run.Log.Read(Range(first, first + more), most, long.MaxValue);
            var durable = run.Durable.ToHashSet();
            var expected = Numbers(Range(first, first + more)).TakeWhile(durable.Contains).Take(most)
                .Select(n => $"{n}: {run.Model[n].Epoch} {Text.Of(run.Model[n].Request)}");
            Assert.Equal(expected, batches.SelectMany(b =>
                b.Requests.Select((r, i) => $"{b.First + i}: {b.Epoch} {Text.Of(r)}")));
            for (var i = 1; i < batches.Length; i++) Assert.NotEqual(batches[i - 1].Epoch, batches[i].Epoch);
        });

    [Fact]
    public void R6_the_facts_that_it_names_give_the_entries_asked_for_whatever_was_dropped_and_appended_again() =>
        Gen.Select(
            Changes, Gen.Int[1, 30], Gen.Int[0, 12], Gen.Int[1, 6],
            Gen.OneOf(Gen.Const(1L), Gen.Const(200L), Gen.Const(long.MaxValue)))
            .Sample((changes, first, more, most, bytes) =>
            {
                var run = new Run(changes);
                var durable = run.Durable.ToHashSet();
                var named = run.Log.FactsFrom(U(first), U(first + more), bytes);
                Assert.Equal(durable.Contains(first), named != null);
                if (named is not { } facts) return;
                var read = run.Journal[((int)facts.First - 1)..(int)facts.Last];
                Assert.InRange(facts.Last, facts.First, run.Persisted);
                Assert.InRange(facts.To.Value, first, first + more);
                var asked = new Effect.ServeFromJournal(
                    Node(3), new Fetch(E(1), 1, new UidRange(U(first), facts.To)), facts.First, facts.Last);
                var selected = JournalEntries.Select(asked, read, most, long.MaxValue);
                // Not only some: each entry that the facts are said to hold, as it is in the log now.
                Assert.Equal(
                    Numbers(asked.Request.Range).Take(most)
                        .Select(n => $"{n}: {run.Model[n].Epoch} {Text.Of(run.Model[n].Request)}"),
                    selected.SelectMany(b => b.Requests.Select((r, i) => $"{b.First + i}: {b.Epoch} {Text.Of(r)}")));
                for (var i = 1; i < selected.Length; i++) Assert.NotEqual(selected[i - 1].Epoch, selected[i].Epoch);
                Assert.Empty(JournalEntries.Select(asked, [.. read.Skip(1)], most, long.MaxValue));
            }, iter: 3000);

    [Fact]
    public void R6_what_the_journal_has_in_another_order_is_named_apart()
    {
        var log = new EntryLog(LogBase.None);
        log.Append(Batch(1, 1, 2), 1);
        log.Append(Batch(1, 6, 7), 2); // the tail, while a gap is healed
        log.Append(Batch(1, 3, 5), 3);
        log.Append(Batch(1, 8, 9), 4);
        log.Persisted(4);
        for (var uid = 1; uid <= 9; uid++) log.Applied(U(uid));
        log.Evict(U(9), 0);
        Assert.Equal((1L, 3L, U(5)), log.FactsFrom(U(1), U(9), long.MaxValue));
        Assert.Equal((1L, 3L, U(5)), log.FactsFrom(U(3), U(9), 1));
        Assert.Equal((2L, 4L, U(9)), log.FactsFrom(U(6), U(9), long.MaxValue));
    }

    [Fact]
    public void R6_of_what_has_left_memory_little_is_kept()
    {
        var log = new EntryLog(LogBase.None);
        var value = new string('x', 1000);
        for (var uid = 1; uid <= 5000; uid++)
        {
            log.Append(new Batch(E(1), U(uid), [Write(1, uid, Put("k", value))]), uid);
            log.Persisted(uid);
            log.Applied(U(uid));
            log.Evict(U(uid), 100_000);
            // 5 MB in pieces of half a MiB, and those of the hundred entries in memory.
            Assert.InRange(log.IndexCount, 1, 130);
        }

        var facts = log.FactsFrom(U(2500), U(2600), 300_000)!.Value;
        Assert.InRange(facts.To.Value, 2500, 2600);
        Assert.InRange(facts.First, 1975, 2500);
        Assert.InRange(facts.Last, facts.To.Value, facts.First + 530);
    }

    [Fact]
    public void A_slice_of_a_batch_has_the_requests_of_its_uids() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, 9], Gen.Int[0, 9]).Sample(
            (first, skip, take) => Assert.Equal(
                Text.Of(Batch(2, first + skip, first + skip + take)),
                Text.Of(EntryLog.Slice(Batch(2, first, first + 18), U(first + skip), U(first + skip + take)))));
}
