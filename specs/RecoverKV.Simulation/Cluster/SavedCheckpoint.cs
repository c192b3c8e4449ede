using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A checkpoint as a disk has it (R10). Immutable: the next one is made of it and of the parts that
/// changed.</summary>
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

    /// <summary>What it has as a whole.</summary>
    public StateTotals Totals => new(Revision, Keys.Count, Digest, Sessions.Count, 0);

    /// <summary>The part behind a cursor, of so many records at most; of one session only so many answers.</summary>
    public StateChunk After(StateCursor? after, int records)
    {
        var part = new StatePart();
        var (key, session, answers) = (after?.Key ?? default, after?.Session ?? 0, after?.Answers ?? 0);
        if (session == 0)
        {
            foreach (var record in Keys.Values
                .Where(r => after is null || new Key(r.Key).CompareTo(new Key(key)) > 0)
                .OrderBy(r => new Key(r.Key)))
            {
                if (part.Keys.Count == records) return new StateChunk(part, new StateCursor(key, 0, 0), Totals);
                part.Keys.Add(record);
                key = record.Key;
            }
        }

        foreach (var record in Sessions.Values.Where(s => s.Id >= session).OrderBy(s => s.Id))
        {
            var rest = record.Answers[(record.Id == session ? answers : 0)..];
            if (record.Id == session && rest.Length == 0) continue;
            if (part.Keys.Count + part.Sessions.Count == records)
                return new StateChunk(part, new StateCursor(key, session, answers), Totals);
            part.Sessions.Add(record with { Answers = rest.Length > records ? rest[..records] : rest });
            (session, answers) = (record.Id, record.Answers.Length - Math.Max(0, rest.Length - records));
            if (rest.Length > records) return new StateChunk(part, new StateCursor(key, session, answers), Totals);
        }

        return new StateChunk(part, null, Totals);
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
            throw new ViolationException(
                "Checkpoints are whole", $"the state at uid {Base.Applied} has another digest than was captured");
    }
}
