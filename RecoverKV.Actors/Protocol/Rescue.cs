namespace RecoverKV.Actors.Protocol;

// R11, where no majority is left: what an operator lets count in a new store.
public sealed partial class ReplicaCore
{
    /// <summary>After <see cref="Replay"/>, in place of <see cref="Start"/>: applies all entries without a gap that are
    /// part of a view's log, known to be committed or not, as they may have been acknowledged: what an election does
    /// with its donor's log (R2).</summary>
    /// <param name="newest">The newest view that any replica has accepted.</param>
    /// <returns>False, and nothing is changed, if this replica knows another history than that view.</returns>
    internal bool Rescue(View newest)
    {
        if (Contradicts(newest)) return false;
        // Of what the checkpoint has seen later facts may have dropped a part: what it has applied itself is right.
        if (_facts < _base.Fact) return true;
        if (newest.Epoch > _view.Epoch) Evolve(Acceptance(newest));
        KnowCommitted(_log.Durable.Contiguous);
        ApplyCommitted();
        return true;
    }
}
