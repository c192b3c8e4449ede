using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A checkpoint as a disk has it (R10). Immutable: the next one is made of it and of the parts that changed.</summary>
internal sealed class SavedCheckpoint
{
    /// <summary>Of a disk that has none.</summary>
    public static readonly SavedCheckpoint None = new() { Base = LogBase.None, Keys = [], Sessions = [], Revision = 1 };

    /// <summary>Where the log goes on.</summary>
    public required LogBase Base { get; init; }

    /// <summary>All keys.</summary>
    public required Dictionary<Key, KeyRecord> Keys { get; init; }

    /// <summary>All sessions.</summary>
    public required Dictionary<long, SessionRecord> Sessions { get; init; }

    public required long Revision { get; init; }

    public ulong Digest { get; init; }

    /// <summary>The next one.</summary>
    public SavedCheckpoint With(Checkpoint checkpoint, IEnumerable<StatePart> parts)
    {
        var next = new SavedCheckpoint
        {
            Base = checkpoint.Base,
            Keys = checkpoint.State.IsAll ? [] : new(Keys),
            Sessions = checkpoint.State.IsAll ? [] : new(Sessions),
            Revision = checkpoint.State.Revision,
            Digest = checkpoint.State.Digest,
        };
        foreach (var part in parts)
        {
            foreach (var key in part.Deleted) next.Keys.Remove(key);
            foreach (var record in part.Keys) next.Keys[new Key(record.Key)] = record;
            foreach (var session in part.Ended) next.Sessions.Remove(session);
            foreach (var session in part.Sessions) next.Sessions[session.Id] = session;
        }

        return next;
    }

    /// <summary>Puts it into an empty state.</summary>
    public void RestoreTo(KeyValueState state)
    {
        foreach (var record in Keys.Values.OrderBy(r => new Key(r.Key)))
        {
            var digest = KeyValueState.DigestOf(record.Key.Span, record.Value.Span, record.Uid, record.Fields);
            state.Restore(new Key(record.Key), record.Value.Span, record.Uid, record.Fields, digest);
        }

        foreach (var session in Sessions.Values.OrderBy(s => s.Used)) state.Sessions.Restore(session);
        state.Restore(Base.Applied, Revision);
        if (state.Digest != Digest)
            throw new ViolationException("Checkpoints are whole", $"the state at uid {Base.Applied} has another digest than was captured");
    }
}
