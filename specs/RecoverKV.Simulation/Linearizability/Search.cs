namespace RecoverKV.Simulation.Linearizability;

/// <summary>
/// The search of one part of a history: depth first over the operations that may come next (those called before the
/// first return of the operations not yet placed), with a memory of the (placed operations, state) pairs already seen.
/// </summary>
/// <remarks>
/// Operations of unknown outcome widen the search, so what can be known of them is used. Values are unique, so one
/// whose value was observed did take effect, before the first observer returned; one with puts only, of which no value
/// was observed or waited for by a condition, can be left out: nobody saw a state that it made. The rest, mostly
/// deletes, is tried last.
/// </remarks>
internal sealed class Search
{
    private sealed class Entry(int operation, bool isReturn)
    {
        public readonly int Operation = operation;
        public readonly bool IsReturn = isReturn;
        public Entry? Next, Previous, Match;
        public long At;
    }

    private readonly Operation[] _operations;
    private readonly KeyAction[][] _actions;
    private readonly Entry _head = new(-1, false);
    private readonly Entry _maybe = new(-1, false);
    private readonly HashSet<Configuration> _seen = [];
    private readonly ulong[] _placed;
    private readonly long[] _state;
    private int _left;

    private Search(List<Operation> operations, Dictionary<int, int> keys)
    {
        _operations = [.. operations];
        _actions = [.. operations.Select(o => o.Actions.Select(a => a with { Key = keys[a.Key] }).ToArray())];
        _placed = new ulong[(operations.Count + 63) / 64];
        _state = new long[keys.Count];
        var events = new List<Entry>();
        for (var i = 0; i < _operations.Length; i++)
        {
            var call = new Entry(i, false) { At = _operations[i].Call };
            events.Add(call);
            if (_operations[i].Return == Operation.Never) continue;
            call.Match = new Entry(i, true) { At = _operations[i].Return, Match = call };
            events.Add(call.Match);
            _left++;
        }

        Entry last = _head, lastMaybe = _maybe;
        // At the same moment calls come before returns: the operations overlap.
        foreach (var entry in events.OrderBy(e => e.At).ThenBy(e => e.IsReturn))
        {
            ref var end = ref entry.Match is null ? ref lastMaybe : ref last;
            end.Next = entry;
            entry.Previous = end;
            end = entry;
        }
    }

    /// <param name="part">The operations.</param>
    /// <param name="maxStates">Give up after so many states.</param>
    /// <param name="longest">The longest order found.</param>
    public static VerdictKind Run(List<Operation> part, int maxStates, out IReadOnlyList<Operation> longest)
    {
        var operations = Sharpen(part);
        var keys = new Dictionary<int, int>();
        foreach (var action in operations.SelectMany(o => o.Actions)) keys.TryAdd(action.Key, keys.Count);
        return new Search(operations, keys).Run(maxStates, out longest);
    }

    private static List<Operation> Sharpen(List<Operation> part)
    {
        var observed = new Dictionary<(int Key, long Value), long>();
        foreach (var operation in part.Where(o => o.Outcome != Outcome.Unknown))
        {
            foreach (var action in operation.Actions.Where(a => a.Observed is not (0 or KeyAction.NotTold)))
            {
                var at = (action.Key, action.Observed);
                observed[at] = Math.Min(operation.Return, observed.GetValueOrDefault(at, Operation.Never));
            }
        }

        var awaited = part.Where(o => o.Outcome == Outcome.Unknown).SelectMany(o => o.Actions)
            .Where(a => a.Expected is not null).Select(a => (a.Key, a.Expected!.Value)).ToHashSet();
        // A condition that failed, by an answer that does not tell why, may have met any value.
        var blind = part.Where(o => o.Outcome == Outcome.Refused).SelectMany(o => o.Actions)
            .Where(a => a.Observed == KeyAction.NotTold && a.Expected is not null).Select(a => a.Key).ToHashSet();
        var result = new List<Operation>(part.Count);
        foreach (var operation in part)
        {
            if (operation.Outcome != Outcome.Unknown)
            {
                result.Add(operation);
                continue;
            }

            if (!operation.IsWrite) continue;
            var puts = operation.Actions.Where(a => a.Kind == ActionKind.Put).ToArray();
            var seen = puts.Min(p => (long?)observed.GetValueOrDefault((p.Key, p.Value), Operation.Never));
            if (seen is not null and not Operation.Never) result.Add(operation with { Return = seen.Value });
            else if (operation.Actions.Any(a =>
                a.Kind == ActionKind.Delete || awaited.Contains((a.Key, a.Value)) || blind.Contains(a.Key)))
                result.Add(operation with { Return = Operation.Never });
        }

        return result;
    }

    private VerdictKind Run(int maxStates, out IReadOnlyList<Operation> longest)
    {
        var path = new Stack<(Entry Entry, long[] Before)>();
        longest = [];
        var entry = _head.Next;
        while (_left > 0)
        {
            if (entry is { IsReturn: false })
            {
                if (TryPlace(entry, out var before))
                {
                    path.Push((entry, before));
                    if (_seen.Count > maxStates) return VerdictKind.Undecided;
                    entry = _head.Next;
                }
                else entry = After(entry);
            }
            else if (entry is { IsReturn: true }) entry = FirstMaybe();
            else if (path.Count == 0) return VerdictKind.NotLinearizable;
            else
            {
                if (path.Count > longest.Count)
                    longest = [.. path.Reverse().Select(p => _operations[p.Entry.Operation])];
                (entry, var before) = path.Pop();
                TakeBack(entry, before);
                entry = After(entry);
            }
        }

        return VerdictKind.Linearizable;
    }

    /// <summary>The next candidate: the certain ones first, then those that may never have happened.</summary>
    private Entry? After(Entry entry)
    {
        if (entry.Match is not null) return entry.Next;
        return entry.Next is { } next && next.At <= FirstReturn() ? next : null;
    }

    private Entry? FirstMaybe() => _maybe.Next is { } first && first.At <= FirstReturn() ? first : null;

    private long FirstReturn()
    {
        var entry = _head.Next;
        while (entry is { IsReturn: false }) entry = entry.Next;
        return entry?.At ?? Operation.Never;
    }

    private bool TryPlace(Entry entry, out long[] before)
    {
        before = _state;
        if (!Fits(entry.Operation, out var changes)) return false;
        if (changes)
        {
            before = (long[])_state.Clone();
            Change(entry.Operation);
        }

        _placed[entry.Operation / 64] |= 1UL << (entry.Operation % 64);
        if (!_seen.Add(new Configuration([.. _placed], [.. _state])))
        {
            _placed[entry.Operation / 64] &= ~(1UL << (entry.Operation % 64));
            if (changes) before.CopyTo(_state, 0);
            return false;
        }

        Unlink(entry);
        if (entry.Match is not { } match) return true;
        Unlink(match);
        _left--;
        return true;
    }

    private void TakeBack(Entry entry, long[] before)
    {
        if (before != _state) before.CopyTo(_state, 0);
        _placed[entry.Operation / 64] &= ~(1UL << (entry.Operation % 64));
        if (entry.Match is { } match)
        {
            Link(match);
            _left++;
        }

        Link(entry);
    }

    private static void Unlink(Entry entry)
    {
        entry.Previous!.Next = entry.Next;
        if (entry.Next is { } next) next.Previous = entry.Previous;
    }

    private static void Link(Entry entry)
    {
        entry.Previous!.Next = entry;
        if (entry.Next is { } next) next.Previous = entry;
    }

    /// <summary>Whether the operation's answer fits the state, and whether it changes the state.</summary>
    private bool Fits(int operation, out bool changes)
    {
        var outcome = _operations[operation].Outcome;
        var holds = true;
        changes = false;
        foreach (var action in _actions[operation])
        {
            if (outcome != Outcome.Unknown && !action.Agrees(_state[action.Key])) return false;
            if (action.Expected is { } expected && expected != _state[action.Key]) holds = false;
            changes |= action.Kind is ActionKind.Put or ActionKind.Delete;
        }

        changes &= holds;
        // One of unknown outcome took effect, or is as if it never happened.
        return outcome == Outcome.Unknown ? holds : holds == (outcome == Outcome.Applied);
    }

    private void Change(int operation)
    {
        foreach (var action in _actions[operation])
        {
            if (action.Kind == ActionKind.Put) _state[action.Key] = action.Value;
            else if (action.Kind == ActionKind.Delete) _state[action.Key] = 0;
        }
    }

    private readonly struct Configuration(ulong[] placed, long[] state) : IEquatable<Configuration>
    {
        private readonly ulong[] _placed = placed;
        private readonly long[] _state = state;

        public bool Equals(Configuration other) =>
            _placed.AsSpan().SequenceEqual(other._placed) && _state.AsSpan().SequenceEqual(other._state);

        public override bool Equals(object? obj) => obj is Configuration other && Equals(other);

        public override int GetHashCode()
        {
            ulong hash = 14695981039346656037;
            foreach (var word in _placed) hash = (hash ^ word) * 1099511628211 ^ (hash >> 29);
            foreach (var value in _state) hash = (hash ^ (ulong)value) * 1099511628211 ^ (hash >> 29);
            return (int)(hash ^ (hash >> 32));
        }
    }
}
