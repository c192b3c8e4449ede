using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>R6: picks the entries of a gap out of journalled facts; for whoever reads the journal.</summary>
internal static class JournalEntries
{
    /// <summary>
    /// The entries of the range asked for, from its first uid on, up to the first that the facts lack. One batch for
    /// each run of an epoch.
    /// </summary>
    /// <remarks>A uid may have been appended several times, by other sequencers, if its entry was dropped in between.
    /// The one that counts is the last: and it is among these facts, for the range is cut so
    /// (<see cref="EntryLog.FactsFrom"/>).
    /// </remarks>
    /// <param name="asked">What is to be served.</param>
    /// <param name="facts">All facts from its first to its last one, in order.</param>
    /// <param name="maxEntries">No more entries.</param>
    /// <param name="maxBytes">No more bytes of them, unless one alone has more.</param>
    public static Batch[] Select(
        Effect.ServeFromJournal asked, IReadOnlyList<Fact> facts, int maxEntries, long maxBytes)
    {
        // With facts missing, another copy could be the last one.
        if (facts.Count != asked.LastFact - asked.FirstFact + 1) return [];
        var (first, last) = (asked.Request.Range.First, asked.Request.Range.Last);
        if (last - first >= maxEntries) last = first + (maxEntries - 1);
        var found = new Dictionary<Uid, (Epoch Epoch, WriteRequest Request)>();
        foreach (var fact in facts)
        {
            if (fact is not EntriesAppended { Batch: var batch }) continue;
            var to = Uid.Min(last, batch.Last);
            for (var uid = Uid.Max(first, batch.First); uid <= to; uid = uid.Next)
                found[uid] = (batch.Epoch, batch.Requests[(int)(uid - batch.First)]);
        }

        var batches = new List<Batch>();
        var run = new List<WriteRequest>();
        long bytes = 0;
        for (var uid = first; uid <= last && found.TryGetValue(uid, out var entry); uid = uid.Next)
        {
            bytes += entry.Request.Encoded.Length + Batch.EntryOverhead;
            if (uid > first && bytes > maxBytes) break;
            if (batches.Count == 0 || batches[^1].Epoch != entry.Epoch)
                batches.Add(new Batch(entry.Epoch, uid, run = []));
            run.Add(entry.Request);
        }

        return [.. batches];
    }
}
