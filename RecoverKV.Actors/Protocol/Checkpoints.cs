using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

/// <summary>R10: a checkpoint in the making: the state, handed over in parts, and what the log was when it was
/// captured.</summary>
internal sealed record Checkpoint(LogBase Base, StateCapture State);

// R10 State: a checkpoint of the state at one uid, so that a start need not replay the whole journal.
public sealed partial class ReplicaCore
{
    private readonly LogBase _base;

    // What the checkpoint on the disk has.
    private LogBase _saved;

    /// <summary>Begins a checkpoint of what is applied; null if this replica may not vouch for its disk. One at a time.
    /// It may be used once all of it is written, and <see cref="MayFinish"/>.</summary>
    internal Checkpoint? BeginCheckpoint()
    {
        if (_stopped || _barred != null || _lost != null) return null;
        var (settled, index, replayFrom) = _log.Settled(_facts + 1);
        var whole = new LogBase(
            _state.Applied, _facts, replayFrom, settled, index, _promised, _view, _knownCommitted, _rightTo,
            _log.Compacted, _toldByView);
        return new Checkpoint(
            // Without room peers are served from the state.
            whole.Cut(IsDiskFull ? 0 : _options.LogBytesKept),
            _state.Capture(Mutated(Mutations.CaptureMovesOn), Mutated(Mutations.SessionOrderLost)));
    }

    /// <summary>Whether a checkpoint may count once it is written: what it says of promises and views must be in the
    /// journal, or nobody could tell that a journal without them has lost its tail (R11).</summary>
    internal bool MayFinish(Checkpoint checkpoint) =>
        _persisted >= checkpoint.Base.Fact || Mutated(Mutations.CheckpointBeforeJournal);

    /// <summary>The checkpoint is on the disk: the journal may forget what it has, less a tail for peers.</summary>
    internal void CheckpointSaved(Checkpoint checkpoint)
    {
        if (_stopped) return;
        _saved = checkpoint.Base;
        Compact();
    }

    // As long as all entries are kept, so are all facts: a journal that is whole needs no checkpoint. Nobody reads what
    // is forgotten: neither a replay, which begins with the checkpoint, nor the log's index.
    private void Compact()
    {
        _log.Compact(_saved.Compacted);
        var before = Mutated(Mutations.CompactedTooFar) ? _saved.Fact : _saved.FirstFact;
        if (_saved.Compacted > Uid.Zero) Effects.Add(new Effect.Forget(before, _saved.Compacted));
    }

    /// <summary>The checkpoint was not written to its end.</summary>
    internal void ForgetCheckpoint() => _state.ForgetCapture();
}
