using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos.History;

/// <summary>The whole store at the end of a run, held against the history.</summary>
internal static class Dump
{
    /// <summary>Every key that the history wrote is read once more, by a dump.</summary>
    public static IEnumerable<HistoryEntry> AsReads(
        IReadOnlyCollection<HistoryEntry> history, IReadOnlyDictionary<int, long> dump, long call, long @return)
    {
        var uids = new Dictionary<long, long>();
        foreach (var entry in history.Where(h => h.Outcome != Outcome.Unknown))
        {
            for (var i = 0; i < entry.Actions.Length; i++)
            {
                var action = entry.Actions[i];
                if (action.Observed != 0) uids[action.Observed] = entry.Seen![i];
                if (action.Kind == ActionKind.Put && entry.Outcome == Outcome.Applied) uids[action.Value] = entry.Uid;
            }
        }

        return history.SelectMany(h => h.Actions).Select(a => a.Key).Union(dump.Keys).Select(key =>
        {
            var value = dump.GetValueOrDefault(key);
            return new HistoryEntry(0, call, @return, Outcome.Applied, 0,
                [new KeyAction(ActionKind.Get, key, Observed: value)], [uids.GetValueOrDefault(value)]);
        });
    }

    /// <summary>Keys whose last acknowledged write is neither in the dump nor followed by another that may explain
    /// it.</summary>
    public static IEnumerable<string> Missing(
        IReadOnlyCollection<HistoryEntry> history, IReadOnlyDictionary<int, long> dump)
    {
        var writes = history.Where(h => h.Outcome == Outcome.Applied && h.Uid != 0)
            .SelectMany(h => h.Actions.Select(a => (h.Uid, Action: a)))
            .Where(w => w.Action.Kind is ActionKind.Put or ActionKind.Delete)
            .GroupBy(w => w.Action.Key).ToDictionary(g => g.Key, g => g.MaxBy(w => w.Uid));
        var unsure = history.Where(h => h.Outcome == Outcome.Unknown).SelectMany(h => h.Actions)
            .GroupBy(a => a.Key).ToDictionary(g => g.Key, g => g.ToList());
        foreach (var (key, (uid, last)) in writes)
        {
            var value = dump.GetValueOrDefault(key);
            if (value == (last.Kind == ActionKind.Put ? last.Value : 0)) continue;
            var others = unsure.GetValueOrDefault(key) ?? [];
            var explained = value == 0
                ? others.Any(a => a.Kind == ActionKind.Delete)
                : others.Any(a => a.Kind == ActionKind.Put && a.Value == value);
            if (!explained)
                yield return $"key {key}: the dump has {value}, "
                    + $"its last acknowledged write is {last.Value} with uid {uid}";
        }
    }
}
