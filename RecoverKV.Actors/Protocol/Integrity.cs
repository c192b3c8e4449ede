namespace RecoverKV.Actors.Protocol;

/// <summary>What a replica's data was at a uid.</summary>
/// <param name="At">The uid; zero: nothing is said.</param>
/// <param name="Digest">The digest of all keys.</param>
public readonly record struct DataMark(Uid At, ulong Digest);

// R11, integrity: replicas that have applied the same have the same data, or memory, a disk or a program has failed. So
// each tells its digest at the committed uid of a heartbeat, which costs nothing; where one differs from what most
// in-sync members have, the sequencer says what that is, and who sees that his own differs is out of service.
public sealed partial class ReplicaCore
{
    private const int MostMarks = 32;

    // The uid at which the digest is to be told, and what it was at the last ones.
    private Uid _markAt;
    private readonly Queue<DataMark> _marks = new();
    private DataMark _lastMark;

    /// <summary>The data at a uid as each has told it.</summary>
    private sealed record Comparison(Uid At)
    {
        public Dictionary<MemberId, ulong> Told { get; } = [];

        public bool Has(NodeId node) => Told.Keys.Any(m => m.Node == node);
    }

    // Of a heartbeat: what comes behind it is committed later, so that the uid was not passed before.
    private void MarkAt(Uid committed)
    {
        if (committed < _state.Applied || committed == _lastMark.At) return;
        _markAt = committed;
        if (committed == _state.Applied) Mark();
    }

    private void Mark()
    {
        _lastMark = new DataMark(_state.Applied, _state.Digest);
        _marks.Enqueue(_lastMark);
        if (_marks.Count > MostMarks) _marks.Dequeue();
    }

    private void MarkOwn(Leading leading)
    {
        MarkAt(_knownCommitted);
        if (_lastMark.At != _knownCommitted || leading.Comparisons.Any(c => c.At == _knownCommitted)) return;
        var comparison = new Comparison(_knownCommitted);
        comparison.Told.Add(_self, _lastMark.Digest);
        leading.Comparisons.Enqueue(comparison);
        if (leading.Comparisons.Count > MostMarks) leading.Comparisons.Dequeue();
    }

    private void Compare(Leading leading, MemberId from, DataMark mark)
    {
        if (mark.At == Uid.Zero || leading.Comparisons.FirstOrDefault(c => c.At == mark.At) is not { } comparison)
            return;
        comparison.Told[from] = mark.Digest;
        if (comparison.Told.Values.All(d => d == mark.Digest)) return;
        var inSync = _view.Members
            .Where(m => _view.IsInSync(m) && comparison.Told.ContainsKey(m))
            .Select(m => comparison.Told[m]).ToArray();
        foreach (var digest in inSync.Distinct())
        {
            if (inSync.Count(d => d == digest) < _view.Majority) continue;
            leading.Agreed = new DataMark(mark.At, digest);
            CheckOwnData(leading.Agreed);
            return;
        }

        var text = $"the data of {string.Join(", ", _options.Nodes.Where(comparison.Has))} is not the same at uid "
            + $"{mark.At}, and no majority tells whose is right; compare what `dump --stale` of each gives";
        if (Current(_differs) is null) Effects.Add(new Effect.Warning($"{_self}: {text}"));
        _differs = (text, _view.Epoch);
    }

    // What most in-sync members have is what is right.
    private void CheckOwnData(DataMark agreed)
    {
        foreach (var mark in _marks)
        {
            if (mark.At != agreed.At || mark.Digest == agreed.Digest || mark.At == Uid.Zero) continue;
            Effects.Add(new Effect.Warning($"{_self}: its data at uid {mark.At} is not what a majority has"));
            DoubtDisk($"the data at uid {mark.At} is not what a majority has");
            return;
        }
    }
}
