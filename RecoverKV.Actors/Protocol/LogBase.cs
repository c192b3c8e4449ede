namespace RecoverKV.Actors.Protocol;

/// <summary>
/// R10: what a replica goes on from that has a checkpoint of its state, instead of its first fact. The log is known by
/// an index up to <paramref name="Settled"/>, all of it committed, on disk and in the state; the rest is replayed from
/// the journal.
/// </summary>
/// <param name="Applied">The uid that the state shows.</param>
/// <param name="Fact">The last fact by then: promise and view are as of this one.</param>
/// <param name="ReplayFrom">The first fact to replay; not above <paramref name="Fact"/> + 1.</param>
/// <param name="Settled">Entries up to this uid need no replay.</param>
/// <param name="Index">R6: which facts hold the entries up to there.</param>
/// <param name="Promised">R1.</param>
/// <param name="View">R2.</param>
/// <param name="Committed">R4.</param>
/// <param name="RightTo">R7: up to here the entries are right, whatever a view's history says no more.</param>
/// <param name="Compacted">Entries up to this uid are in no fact any more: only the state has them. The index begins
/// behind.</param>
/// <param name="ToldByView">R4: of what is committed, how much the accepted view has told.</param>
public sealed record LogBase(
    Uid Applied, long Fact, long ReplayFrom, Uid Settled, FactPiece[] Index, Promised Promised, View View,
    Uid Committed, Uid RightTo, Uid Compacted, Uid ToldByView)
{
    /// <summary>Of a replica without a checkpoint.</summary>
    public static readonly LogBase None = new(
        Uid.Zero, 0, 1, Uid.Zero, [], new Promised(Epoch.Zero, NodeId.None),
        View.None, Uid.Zero, Uid.Zero, Uid.Zero, Uid.Zero);

    /// <summary>The first fact that is still of use: for a replay, for a peer, or as the last one that there was
    /// (R11).</summary>
    public long FirstFact
    {
        get
        {
            var first = Math.Min(ReplayFrom, Math.Max(Fact, 1));
            foreach (var piece in Index) first = Math.Min(first, piece.First);
            return first;
        }
    }

    /// <summary>R10: without the oldest entries, so that those with about <paramref name="bytes"/> stay for
    /// peers.</summary>
    internal LogBase Cut(long bytes)
    {
        var from = Index.Length;
        while (from > 0 && bytes > 0) bytes -= Index[--from].Bytes;
        return from == 0 ? this : this with { Index = Index[from..], Compacted = Index[from - 1].Range.Last };
    }
}

/// <summary>R6: a piece of the log whose entries are in the facts from its first to its last one. Of a uid that was
/// appended several times, the copy that counts is in a later fact than all others.</summary>
/// <param name="Range">The uids.</param>
/// <param name="First">The first fact.</param>
/// <param name="Last">The last fact.</param>
/// <param name="Facts">How many of the facts between have entries of it.</param>
/// <param name="Bytes">How many bytes its entries have.</param>
public readonly record struct FactPiece(UidRange Range, long First, long Last, int Facts, long Bytes)
{
    /// <summary>This one and the next together, however far apart.</summary>
    internal FactPiece With(FactPiece next) =>
        new(new UidRange(Range.First, next.Range.Last), First, next.Last, Facts + next.Facts, Bytes + next.Bytes);

    /// <summary>Facts within that hold no entry of it.</summary>
    internal long Others => Last - First + 1 - Facts;
}
