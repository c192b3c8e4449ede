namespace RecoverKV.Actors.Protocol;

// R4 Commit: what every in-sync member has on disk is committed, applied and answered.
public sealed partial class ReplicaCore
{
    private void AdvanceCommitted(Leading leading)
    {
        if (_now < leading.OpensAt && !Mutated(Mutations.NoWaitForLease)) return;
        var committed = leading.NextUid.Previous;
        foreach (var member in _view.Members)
            if (_view.IsInSync(member)) committed = Uid.Min(committed, leading.Followers[member].Contiguous);
        if (committed <= _knownCommitted) return;
        KnowCommitted(committed);
        ApplyCommitted();
        while (leading.InFlight.TryPeek(out var batch) && batch.Last <= committed)
        {
            leading.InFlight.Dequeue();
            leading.FlightBytes -= batch.Bytes;
        }

        // The next batch carries the committed uid; without one it is sent at once.
        if (leading.Waiting.Count > 0) Number(leading);
        else SendCommitted(leading);
    }

    private void SendCommitted(Leading leading)
    {
        foreach (var follower in leading.Followers.Values)
            if (follower.Member != _self && !follower.Left)
                Send(follower.Member.Node, new Commit(_view.Epoch, _knownCommitted));
    }

    // The sequencer of the accepted view said so, or the journal did.
    private void LearnCommitted(Uid committed)
    {
        if (committed <= _knownCommitted) return;
        KnowCommitted(committed);
        ApplyCommitted();
        Heal();
    }

    private void KnowCommitted(Uid committed)
    {
        _knownCommitted = Uid.Max(_knownCommitted, committed);
        // While a candidate has this replica's promise, it may be he who told.
        if (_promised.Epoch == _view.Epoch) _toldByView = Uid.Max(_toldByView, committed);
    }

    // Applies what is committed and on this disk, in order; answers whoever waits for it.
    private void ApplyCommitted()
    {
        var limit = Uid.Min(_knownCommitted, _log.Durable.Contiguous);
        if (limit <= _state.Applied) return;
        while (_state.Applied < limit)
        {
            var uid = _state.Applied.Next;
            var request = _log[uid].Request;
            var answer = _state.Apply(uid, request, Mutated(Mutations.SessionsNotReplicated) && _leading == null);
            if (RemoveWaiter(request) is { } caller) Effects.Add(new Effect.AnswerWrite(caller, answer));
            _log.Applied(uid);
            if (uid == _marksNext?.At) MarkApplied();
        }

        UpdateFreshness();
        _log.Evict(_state.Applied, _options.LogBytesInMemory);
        ServeBlockedReads();
    }

    // ---- Writes that may already be committed elsewhere: on this disk, acknowledged, not known committed. What is not
    // on this disk cannot be committed, so reads need not wait for it.
    private Uid _expectedTo;

    // Extends them to all that is on disk. A replica that is not in-sync serves no reads and only catches up.
    private void ExpectDurable()
    {
        var to = _log.Durable.Contiguous;
        var from = Uid.Max(_expectedTo, _state.Applied);
        if (!_view.IsInSync(_self)) from = Uid.Max(from, Uid.Min(to, _knownCommitted));
        for (var uid = from.Next; uid <= to; uid = uid.Next) _state.Expect(uid, _log[uid].Request);
        _expectedTo = to;
    }

    private void ExpectAnew()
    {
        _state.ExpectNothing();
        _expectedTo = Uid.Zero;
        ExpectDurable();
    }
}
