namespace RecoverKV.Actors.Protocol;

/// <summary>
/// A set of uids as ascending, disjoint, non-adjacent ranges: what a replica holds, and by what is missing between
/// the ranges, its gaps (R6). Not thread-safe.
/// </summary>
public sealed class UidSet
{
    private readonly List<UidRange> _ranges = [];

    /// <summary>The ranges, ascending.</summary>
    public IReadOnlyList<UidRange> Ranges => _ranges;

    /// <summary>Every uid from 1 up to this one is in the set; 0 if uid 1 is not.</summary>
    public Uid Contiguous => _ranges.Count > 0 && _ranges[0].First.Value <= 1 ? _ranges[0].Last : Uid.Zero;

    /// <summary>The highest uid of the set; 0 if it is empty.</summary>
    public Uid Highest => _ranges.Count > 0 ? _ranges[^1].Last : Uid.Zero;

    /// <summary>Whether the uid is in the set.</summary>
    public bool Contains(Uid uid)
    {
        var at = FirstEndingAtOrAfter(uid);
        return at < _ranges.Count && _ranges[at].First <= uid;
    }

    /// <summary>Puts all uids of the range into the set.</summary>
    public void Add(UidRange range)
    {
        if (range.Count <= 0) return;
        var from = FirstEndingAtOrAfter(range.First.Previous);
        var to = from;
        var (first, last) = (range.First, range.Last);
        while (to < _ranges.Count && _ranges[to].First <= range.Last.Next)
        {
            first = Uid.Min(first, _ranges[to].First);
            last = Uid.Max(last, _ranges[to].Last);
            to++;
        }

        var merged = new UidRange(first, last);
        if (to == from) _ranges.Insert(from, merged);
        else
        {
            _ranges[from] = merged;
            _ranges.RemoveRange(from + 1, to - from - 1);
        }
    }

    /// <summary>Takes all uids of the range out of the set.</summary>
    public void Remove(UidRange range)
    {
        if (range.Count <= 0) return;
        var at = FirstEndingAtOrAfter(range.First);
        while (at < _ranges.Count && _ranges[at].First <= range.Last)
        {
            var hit = _ranges[at];
            _ranges.RemoveAt(at);
            if (hit.First < range.First) _ranges.Insert(at++, new UidRange(hit.First, range.First.Previous));
            if (hit.Last > range.Last) _ranges.Insert(at++, new UidRange(range.Last.Next, hit.Last));
        }
    }

    /// <summary>The parts of the set within the range, ascending.</summary>
    public IEnumerable<UidRange> Within(UidRange range)
    {
        for (var at = FirstEndingAtOrAfter(range.First); at < _ranges.Count && _ranges[at].First <= range.Last; at++)
            yield return new UidRange(Uid.Max(_ranges[at].First, range.First), Uid.Min(_ranges[at].Last, range.Last));
    }

    /// <summary>The parts of the range that are not in the set, ascending: the gaps.</summary>
    public IEnumerable<UidRange> Missing(UidRange range)
    {
        var next = range.First;
        foreach (var held in Within(range))
        {
            if (held.First > next) yield return new UidRange(next, held.First.Previous);
            next = held.Last.Next;
        }

        if (next <= range.Last) yield return new UidRange(next, range.Last);
    }

    /// <summary>How many uids of the range are not in the set.</summary>
    public long CountMissing(UidRange range)
    {
        if (range.Count <= 0) return 0;
        var missing = range.Count;
        foreach (var held in Within(range)) missing -= held.Count;
        return missing;
    }

    private int FirstEndingAtOrAfter(Uid uid)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].Last < uid) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
