using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>R6: picks the entries of a gap out of journalled facts.</summary>
internal static class JournalEntries
{
    /// <summary>
    /// The entries of <paramref name="range"/> from its first uid on, up to the first that the facts lack: those whose
    /// epoch is valid in <paramref name="view"/>, which makes each of them unique. One batch for each run of an epoch.
    /// </summary>
    public static Batch[] Select(
        IReadOnlyList<Fact> facts, UidRange range, View view, int maxEntries, long maxBytes)
    {
        var found = new Dictionary<Uid, (Epoch Epoch, WriteRequest Request)>();
        foreach (var fact in facts.OfType<EntriesAppended>())
        {
            for (var i = 0; i < fact.Batch.Requests.Count; i++)
            {
                var uid = fact.Batch.First + i;
                if (uid >= range.First && uid <= range.Last && view.EpochAt(uid) == fact.Batch.Epoch)
                    found.TryAdd(uid, (fact.Batch.Epoch, fact.Batch.Requests[i]));
            }
        }

        var batches = new List<Batch>();
        long bytes = 0;
        for (var uid = range.First; uid - range.First < maxEntries && found.TryGetValue(uid, out var entry); uid = uid.Next)
        {
            bytes += entry.Request.Encoded.Length + Batch.EntryOverhead;
            if (uid > range.First && bytes > maxBytes) break;
            if (batches.Count > 0 && batches[^1].Epoch == entry.Epoch) ((List<WriteRequest>)batches[^1].Requests).Add(entry.Request);
            else batches.Add(new Batch(entry.Epoch, uid, new List<WriteRequest> { entry.Request }));
        }

        return [.. batches];
    }
}
