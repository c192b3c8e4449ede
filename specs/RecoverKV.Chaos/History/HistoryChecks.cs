using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos.History;

/// <summary>What must hold for a history of a whole run.</summary>
public static class HistoryChecks
{
    /// <summary>
    /// By times and values alone: is there one order that explains it (Wing-Gong-Lowe)? And by the uids that the store
    /// gave out: they must grow with real time, and every answer must show what was acknowledged before its call.
    /// </summary>
    /// <returns>What is wrong, in one line each, and a verdict to draw if the search found something.</returns>
    public static (List<string> Wrong, Verdict? Verdict, bool Decided) Check(IReadOnlyCollection<HistoryEntry> history)
    {
        var wrong = new List<string>();
        wrong.AddRange(UidsAgainstTime(history).Take(10));
        wrong.AddRange(AnswersAgainstUids(history).Take(10));
        var verdict = Checker.Check([.. history.Select(h => h.ToOperation())]);
        if (verdict.Kind == VerdictKind.NotLinearizable) wrong.Add($"not linearizable: {verdict}");
        return (
            wrong, verdict.Kind == VerdictKind.NotLinearizable ? verdict : null, verdict.Kind != VerdictKind.Undecided);
    }

    /// <summary>A write that began after another was answered has a greater uid, whatever their keys.</summary>
    private static IEnumerable<string> UidsAgainstTime(IEnumerable<HistoryEntry> history)
    {
        var writes = history.Where(h => h.Uid != 0).ToList();
        foreach (var twice in writes.GroupBy(w => w.Uid).Where(g => g.Count() > 1))
            yield return $"uid {twice.Key} was given to {string.Join(" and to ", twice.Select(w => w.ToOperation()))}";
        var answered = writes.OrderBy(w => w.Return).ToList();
        var (next, highest) = (0, 0L);
        foreach (var write in writes.OrderBy(w => w.Call))
        {
            for (; next < answered.Count && answered[next].Return < write.Call; next++)
                highest = Math.Max(highest, answered[next].Uid);
            if (write.Uid <= highest)
                yield return $"uid {write.Uid} was given to {write.ToOperation()} "
                    + $"when {highest} had been answered before its call";
        }
    }

    /// <summary>An answer shows a version of a key that is not older than what was answered about it before its
    /// call.</summary>
    private static IEnumerable<string> AnswersAgainstUids(IReadOnlyCollection<HistoryEntry> history)
    {
        // Of a delete the uid is known to its own client only: a later absence may be that one or another.
        var marks = history.Where(h => h.Outcome != Outcome.Unknown).SelectMany(
            h => h.Actions.Select((a, i) => (a.Key, h.Return, Uid: Known(h, a, h.Seen![i]))));
        var floors = marks.GroupBy(m => m.Key).ToDictionary(g => g.Key, g =>
        {
            var highest = 0L;
            return g.OrderBy(m => m.Return).Select(m => (m.Return, Uid: highest = Math.Max(highest, m.Uid))).ToArray();
        });
        foreach (var entry in history.Where(h => h.Outcome != Outcome.Unknown))
        {
            for (var i = 0; i < entry.Actions.Length; i++)
            {
                if (entry.Seen![i] == 0) continue;
                var floor = Floor(floors[entry.Actions[i].Key], entry.Call);
                if (entry.Seen[i] < floor)
                    yield return $"{entry.ToOperation()} saw uid {entry.Seen[i]} of key {entry.Actions[i].Key}, "
                        + $"older than {floor}, which had been answered before its call";
            }
        }
    }

    private static long Known(HistoryEntry entry, KeyAction action, long seen) =>
        entry.Outcome == Outcome.Applied && action.Kind is ActionKind.Put or ActionKind.Delete ? entry.Uid : seen;

    private static long Floor((long Return, long Uid)[] marks, long call)
    {
        int low = 0, high = marks.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (marks[middle].Return < call) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? 0 : marks[low - 1].Uid;
    }
}
