namespace RecoverKV.Actors.Protocol;

/// <summary>
/// R6: which facts of the journal hold which uids of the log. Where entries have left memory it is kept roughly, some
/// bytes for about half a MiB of the log, so that it stays small however long the log grows. Not thread-safe.
/// </summary>
/// <remarks>Invariants: the pieces are disjoint and ascend by uid, those of <see cref="_settled"/> before those of
/// <see cref="_recent"/>. The entries of a piece are in the facts from its first to its last one. Of a uid that was
/// appended several times, the copy that counts is in a later fact than all others.</remarks>
/// <param name="pieceBytes">What is read for nothing, at most, to find one entry of a piece.</param>
internal sealed class FactIndex(long pieceBytes = FactIndex.PieceBytes)
{
    /// <summary>That of nodes.</summary>
    public const long PieceBytes = 512 * 1024;

    // Facts that are read for nothing, at most, to fill one gap.
    private const int OtherFacts = 64;

    // Of entries that have left memory: they are applied, and never dropped any more.
    private readonly List<FactPiece> _settled = [];

    // Whether the last settled piece grows no more: a checkpoint knows it as it is.
    private bool _isSealed;

    // Of the others; those below _begin have moved to the settled ones.
    private readonly List<FactPiece> _recent = [];
    private int _begin;

    /// <summary>How many pieces there are: what it takes in memory.</summary>
    public int Count => _settled.Count + _recent.Count - _begin;

    /// <summary>R10: the settled pieces, which stay as they are.</summary>
    public FactPiece[] Seal()
    {
        _isSealed = true;
        return [.. _settled];
    }

    /// <summary>R10: what was settled when a checkpoint was made.</summary>
    public void Restore(FactPiece[] settled) => _settled.AddRange(settled);

    /// <summary>R10: entries up to this uid, all of them settled, are in no fact any more.</summary>
    public void Compact(Uid to) => _settled.RemoveRange(0, PieceEndingAtOrAfter(_settled, 0, to.Next));

    /// <summary>R10: the first fact that holds an entry above the uid, which is not settled; null if there is
    /// none.</summary>
    public long? FirstAbove(Uid uid)
    {
        long? first = null;
        for (var at = PieceEndingAtOrAfter(_recent, _begin, uid.Next); at < _recent.Count; at++)
            if (first is null || _recent[at].First < first) first = _recent[at].First;
        return first;
    }

    /// <summary>The fact holds the range, of which no uid is in the index.</summary>
    public void Add(UidRange range, long fact, long bytes) =>
        _recent.Insert(PieceEndingAtOrAfter(_recent, _begin, range.First), new FactPiece(range, fact, fact, 1, bytes));

    /// <summary>The parts of the range that are there by this fact.</summary>
    public IEnumerable<UidRange> Of(long fact, UidRange range)
    {
        for (var at = PieceEndingAtOrAfter(_recent, _begin, range.First);
             at < _recent.Count && _recent[at].Range.First <= range.Last;
             at++)
        {
            if (_recent[at].First == fact) yield return _recent[at].Range;
        }
    }

    /// <summary>Takes the uids of the range out, none of which is settled.</summary>
    public void Remove(UidRange range)
    {
        var at = PieceEndingAtOrAfter(_recent, _begin, range.First);
        while (at < _recent.Count && _recent[at].Range.First <= range.Last)
        {
            var piece = _recent[at];
            _recent.RemoveAt(at);
            if (piece.Range.First < range.First)
                _recent.Insert(at++, piece with { Range = new UidRange(piece.Range.First, range.First.Previous) });
            if (piece.Range.Last > range.Last)
                _recent.Insert(at++, piece with { Range = new UidRange(range.Last.Next, piece.Range.Last) });
        }
    }

    /// <summary>Entries below the uid are never dropped any more, nor asked for often.</summary>
    public void Settle(Uid below)
    {
        while (_begin < _recent.Count && _recent[_begin].Range.Last < below)
        {
            var piece = _recent[_begin++];
            if (_settled.Count > 0 && !_isSealed && Joins(_settled[^1], piece)) _settled[^1] = _settled[^1].With(piece);
            else _settled.Add(piece);
            _isSealed = false;
        }

        if (_begin <= _recent.Count / 2) return;
        _recent.RemoveRange(0, _begin);
        _begin = 0;
    }

    /// <summary>
    /// The facts that hold the entries from <paramref name="first"/> on, which is in the index, and the last uid whose
    /// entry is surely in them. Cut where about <paramref name="maxBytes"/> are together, where the journal has the
    /// entries in another order, and where too much else stands between them.
    /// </summary>
    public (long First, long Last, Uid To) From(Uid first, Uid last, long maxBytes)
    {
        var (pieces, at) = (_settled, PieceEndingAtOrAfter(_settled, 0, first));
        if (at == _settled.Count) (pieces, at) = (_recent, PieceEndingAtOrAfter(_recent, _begin, first));
        var all = pieces[at];
        while (all.Range.Last < last)
        {
            if (++at == pieces.Count)
            {
                if (pieces == _recent || _begin == _recent.Count) break;
                (pieces, at) = (_recent, _begin);
            }

            if (pieces[at].Range.First != all.Range.Last.Next || pieces[at].First < all.Last) break;
            var longer = all.With(pieces[at]);
            if (longer.Bytes > maxBytes || longer.Others > OtherFacts) break;
            all = longer;
        }

        return (all.First, all.Last, Uid.Min(last, all.Range.Last));
    }

    private bool Joins(FactPiece piece, FactPiece next) =>
        next.Range.First == piece.Range.Last.Next && next.First >= piece.Last
        && piece.With(next) is var both && both.Bytes <= pieceBytes && both.Others <= OtherFacts;

    private static int PieceEndingAtOrAfter(List<FactPiece> pieces, int from, Uid uid)
    {
        int low = from, high = pieces.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (pieces[middle].Range.Last < uid) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
