using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>
/// What a sequence of facts means, worked out apart from the core: the reference of the replay property, and what the
/// invariants look at.
/// </summary>
internal sealed class JournalImage
{
    public readonly record struct Entry(Epoch Epoch, WriteRequest Request);

    private readonly Dictionary<long, Entry> _entries = [];

    public Epoch Promised { get; private set; }

    public View View { get; private set; } = View.None;

    public long Contiguous { get; private set; }

    /// <summary>The highest committed uid that a fact tells of.</summary>
    public long Committed { get; private set; }

    /// <summary>R10: entries up to here came with a peer's state, whatever facts say.</summary>
    private long _installed;

    /// <summary>R10: the replica took the state at a uid from a peer.</summary>
    public void Install(long at, IReadOnlyList<Entry> entries)
    {
        for (var uid = 1; uid <= at; uid++) _entries[uid] = entries[uid - 1];
        _installed = Math.Max(_installed, at);
        Committed = Math.Max(Committed, at);
        while (_entries.ContainsKey(Contiguous + 1)) Contiguous++;
    }

    public Entry? At(long uid) => _entries.TryGetValue(uid, out var entry) ? entry : null;

    public void Apply(Fact fact)
    {
        switch (fact)
        {
            case Promised promised:
                Promised = Epoch.Max(Promised, promised.Epoch);
                break;
            case ViewAccepted accepted:
                Promised = Epoch.Max(Promised, accepted.View.Epoch);
                View = accepted.View;
                Drop(accepted.Dropped);
                Committed = Math.Max(Committed, accepted.Committed.Value);
                break;
            case OrphansDropped dropped:
                Drop(dropped.Dropped);
                break;
            case EntriesAppended appended:
                for (var i = 0; i < appended.Batch.Requests.Count; i++)
                {
                    _entries.TryAdd(appended.Batch.First.Value + i,
                        new Entry(appended.Batch.Epoch, appended.Batch.Requests[i]));
                }

                Committed = Math.Max(Committed, appended.Committed.Value);
                break;
        }

        while (_entries.ContainsKey(Contiguous + 1)) Contiguous++;
    }

    private void Drop(UidRange[] ranges)
    {
        foreach (var range in ranges)
        {
            for (var uid = Math.Max(range.First.Value, _installed + 1); uid <= range.Last.Value; uid++)
            {
                if (_entries.Remove(uid)) Contiguous = Math.Min(Contiguous, uid - 1);
            }
        }
    }
}
