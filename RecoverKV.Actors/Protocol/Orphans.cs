namespace RecoverKV.Actors.Protocol;

// R7 Orphans: uncommitted entries that are no part of the log that a view or a donor defines.
public sealed partial class ReplicaCore
{
    // The held entries beyond the committed uid whose epoch is not the one expected at their uid.
    private UidRange[] FindOrphans(Func<Uid, Epoch> expected)
    {
        if (Mutated(Mutations.OrphansKept)) return [];
        var orphans = new UidSet();
        foreach (var held in _log.Held.Within(new UidRange(_state.Applied.Next, _log.Held.Highest)))
        {
            for (var uid = held.First; uid <= held.Last; uid = uid.Next)
                if (_log[uid].Epoch != expected(uid)) orphans.Add(new UidRange(uid, uid));
        }

        return [.. orphans.Ranges];
    }

    private void Drop(UidRange[] orphans)
    {
        if (orphans.Length > 0) _orphans = (_log.Durable.Contiguous, _facts + 1);
        foreach (var range in orphans)
        {
            if (range.First <= _state.Applied)
                throw new InvariantViolationException($"committed uid {range.First} would be dropped; {_state.Applied} are applied");
            _log.Drop(range);
        }

        if (orphans.Length > 0) ForgetPending();
    }
}
