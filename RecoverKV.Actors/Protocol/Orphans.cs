namespace RecoverKV.Actors.Protocol;

// R7 Orphans: uncommitted entries that are no part of the log that a view or a donor defines.
public sealed partial class ReplicaCore
{
    // Up to here what is held was found right once, or taken since as what it had to be. It is committed, so it stays
    // right.
    private Uid _rightTo;

    // Whether an entry that this replica holds is part of a view's log. Below the view's history it is if the replica
    // has accepted the view in which all of that was committed, or a later one; else nobody knows, and it is fetched
    // anew.
    private bool IsIn(View view, Uid uid, Epoch epoch) => view.EpochAt(uid) is var held && held > Epoch.Zero
        ? held == epoch
        : uid <= _rightTo || _view.Epoch >= view.TrimmedAt || Mutated(Mutations.HistoryTrimmedTooFar);

    // The held entries beyond the committed uid that are not part of the log.
    private UidRange[] FindOrphans(Func<Uid, Epoch, bool> isPart)
    {
        if (Mutated(Mutations.OrphansKept)) return [];
        var orphans = new UidSet();
        foreach (var held in _log.Held.Within(new UidRange(_state.Applied.Next, _log.Held.Highest)))
        {
            for (var uid = held.First; uid <= held.Last; uid = uid.Next)
                if (!isPart(uid, _log[uid].Epoch)) orphans.Add(new UidRange(uid, uid));
        }

        return [.. orphans.Ranges];
    }

    private void Drop(UidRange[] orphans)
    {
        if (orphans.Length > 0) _orphans = (_log.Durable.Contiguous, _facts + 1);
        foreach (var orphan in orphans)
        {
            // In a replay only, where a checkpoint was taken from a peer (R10): it has what is right.
            if (orphan.Last <= _base.Settled) continue;
            var range = orphan with { First = Uid.Max(orphan.First, _base.Settled.Next) };
            if (range.First <= _state.Applied)
                throw new InvariantViolationException(
                    $"committed uid {range.First} would be dropped; {_state.Applied} are applied");
            _log.Drop(range);
        }

        if (orphans.Length > 0) ExpectAnew();
    }
}
