using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A peer's state as far as it has come (R10): it stays on the disk when the process ends.</summary>
internal sealed class IncomingState
{
    public required Uid At { get; init; }

    public Dictionary<Key, KeyRecord> Keys { get; } = [];

    public Dictionary<long, SessionRecord> Sessions { get; } = [];

    /// <summary>Where it goes on; null before the first part.</summary>
    public StateCursor? Next { get; private set; }

    /// <summary>Writes a part; whether all of them together are what was promised, after the last.</summary>
    public bool Take(StateChunk chunk)
    {
        foreach (var record in chunk.Part.Keys) Keys[new Key(record.Key)] = record;
        foreach (var session in chunk.Part.Sessions)
        {
            Sessions[session.Id] = Sessions.TryGetValue(session.Id, out var begun) ? begun.With(session) : session;
        }

        if (chunk.Next is { } next)
        {
            Next = next;
            return true;
        }

        var digest = 0UL;
        foreach (var record in Keys.Values)
            digest += KeyValueState.DigestOf(record.Key.Span, record.Value.Span, record.Uid, record.Fields);
        return (Keys.Count, digest, Sessions.Count) == (chunk.Totals.Keys, chunk.Totals.Digest, chunk.Totals.Sessions);
    }

    /// <summary>All of it, as the replica goes on from it.</summary>
    public SavedCheckpoint As(Effect.InstallState install) => new()
    {
        Base = install.Base,
        Keys = Keys,
        Sessions = Sessions,
        Revision = install.Totals.Revision,
        Digest = install.Totals.Digest,
    };
}
