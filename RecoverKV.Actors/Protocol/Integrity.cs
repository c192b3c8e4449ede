using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

/// <summary>What a replica's data was at a uid.</summary>
/// <param name="At">The uid; zero: nothing is said.</param>
/// <param name="Digest">The digest of all of it, as it was kept while it was written.</param>
/// <param name="Round">The heartbeat round that asked for it.</param>
/// <param name="Slice">The digest of that round's slice, as it is in memory.</param>
public readonly record struct DataMark(Uid At, ulong Digest, long Round = 0, ulong Slice = 0);

// R11, integrity: replicas that have applied the same have the same data, or memory, a disk or a program has failed. So
// each tells its digest at the committed uid of a heartbeat, and that of a slice of the data, another one each time:
// the first costs nothing and tells at once what was applied wrongly, the second finds what has changed by itself, and
// where. If one differs from what most in-sync members have, the sequencer says what that is, and who sees that his own
// differs is out of service.
public sealed partial class ReplicaCore
{
    private const int MostMarks = 32;

    // What is to be told, and what was at the last uids; of the heartbeats of one tenure.
    private Mark? _marksNext;
    private Mark? _marked;
    private readonly Queue<Mark> _marks = new();

    private sealed record Mark(Epoch Epoch, Uid At, long Round, StateSlice? Slice, DataMark Data = default);

    /// <summary>The data at a uid as each has told it.</summary>
    private sealed record Comparison(Mark Own)
    {
        public Dictionary<MemberId, DataMark> Told { get; } = [];

        public bool Has(NodeId node) => Told.Keys.Any(m => m.Node == node);
    }

    // Of a heartbeat: what comes behind it is committed later, so that the uid was not passed before.
    private void MarkAt(Uid committed, long round, StateSlice? slice)
    {
        if (committed < _state.Applied || committed == Uid.Zero) return;
        if (_marked is { } last && (last.Epoch, last.At, last.Round) == (_view.Epoch, committed, round)) return;
        _marksNext = new Mark(_view.Epoch, committed, round, slice);
        MarkApplied();
    }

    private void MarkApplied()
    {
        if (_marksNext is not { } mark || mark.At != _state.Applied) return;
        var slice = mark.Slice is null ? 0 : _state.DigestOf(mark.Slice);
        _marked = mark with { Data = new DataMark(mark.At, _state.Digest, mark.Round, slice) };
        _marksNext = null;
        _marks.Enqueue(_marked);
        if (_marks.Count > MostMarks) _marks.Dequeue();
    }

    private DataMark MarkFor(Epoch epoch) => _marked is { } mark && mark.Epoch == epoch ? mark.Data : default;

    // The slice that is compared with this round's heartbeat; none while this replica itself has not applied what it
    // is of.
    private StateSlice? MarkOwn(Leading leading)
    {
        if (_state.Applied != _knownCommitted || _knownCommitted == Uid.Zero) return null;
        leading.Compared = _state.SliceBehind(leading.Compared);
        MarkAt(_knownCommitted, leading.Round, leading.Compared);
        var comparison = new Comparison(_marked!);
        comparison.Told.Add(_self, _marked!.Data);
        leading.Comparisons.Enqueue(comparison);
        if (leading.Comparisons.Count > MostMarks) leading.Comparisons.Dequeue();
        return leading.Compared;
    }

    private void Compare(Leading leading, MemberId from, DataMark mark)
    {
        if (mark.At == Uid.Zero) return;
        var comparison = leading.Comparisons.FirstOrDefault(c => c.Own.At == mark.At && c.Own.Round == mark.Round);
        if (comparison is null) return;
        comparison.Told[from] = mark;
        if (comparison.Told.Values.All(m => m == mark)) return;
        var inSync = _view.Members
            .Where(m => _view.IsInSync(m) && comparison.Told.ContainsKey(m))
            .Select(m => comparison.Told[m]).ToArray();
        foreach (var most in inSync.Distinct())
        {
            if (inSync.Count(m => m == most) < _view.Majority) continue;
            leading.Agreed = most;
            CheckOwnData(most);
            return;
        }

        var slices = comparison.Told.Values.Select(m => m.Slice).Distinct().Count() > 1;
        var nodes = string.Join(", ", _options.Nodes.Where(comparison.Has));
        var text = $"{What(comparison.Own, slices)} of {nodes} is not the same, "
            + "and no majority tells whose is right; compare what `dump --stale` of each gives";
        if (Current(_differs) is null) Effects.Add(new Effect.Warning($"{_self}: {text}"));
        _differs = (text, _view.Epoch);
    }

    // What most in-sync members have is what is right.
    private void CheckOwnData(DataMark agreed)
    {
        var own = _marks.FirstOrDefault(
            m => (m.Epoch, m.At, m.Round) == (_view.Epoch, agreed.At, agreed.Round) && m.Data != agreed);
        if (own is not null)
            DoubtDisk($"{What(own, own.Data.Slice != agreed.Slice)} is not what a majority has", isLoud: true);
    }

    private static string What(Mark mark, bool slice) =>
        $"the data at uid {mark.At}{(slice ? $" ({mark.Slice})" : "")}";
}
