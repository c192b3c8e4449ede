using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.State;

/// <summary>R10: where the transfer of a state has come: it has the keys in their order, and then the sessions by their
/// ids.</summary>
/// <param name="Key">The last key; of no more use once the sessions have begun.</param>
/// <param name="Session">The last session; 0 before the first.</param>
/// <param name="Answers">How many of its answers there are; the next part may begin with more.</param>
internal sealed record StateCursor(ReadOnlyMemory<byte> Key, long Session, int Answers);

/// <summary>R10: what was taken of a state that is not all there.</summary>
/// <param name="At">Its uid.</param>
/// <param name="After">Where it goes on.</param>
/// <param name="Keys">About how many keys there are.</param>
/// <param name="Bytes">About how much they take.</param>
internal sealed record TakenState(Uid At, StateCursor After, long Keys, long Bytes);

/// <summary>R10: what a state at one uid has as a whole.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="Keys">How many keys it has.</param>
/// <param name="Digest">The digest of its keys.</param>
/// <param name="Sessions">How many sessions it has.</param>
/// <param name="SessionBytes">Roughly what their answers take in memory.</param>
internal sealed record StateTotals(long Revision, long Keys, ulong Digest, long Sessions, long SessionBytes)
{
    /// <summary>What is wrong with a state that should have these totals; null if nothing is.</summary>
    /// <param name="found">What it has. Its revision is in no record.</param>
    public string? Differs(StateTotals found) => found with { Revision = Revision } == this
        ? null
        : $"{found.Keys} keys of {Keys} and {found.Sessions} sessions of {Sessions}, or others";
}

/// <summary>R10: a part of a state at one uid, for another replica. Of a session that is too large for one part the
/// next part has more answers.</summary>
/// <param name="Part">The keys and sessions.</param>
/// <param name="Next">Where the next part begins; null if this is the last one.</param>
/// <param name="Totals">What all parts together have.</param>
internal sealed record StateChunk(StatePart Part, StateCursor? Next, StateTotals Totals);
