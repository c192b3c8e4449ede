namespace RecoverKV.Simulation.Linearizability;

/// <summary>
/// Decides whether a history is linearizable: whether one order of its operations, each at a moment between its call
/// and its return, explains every answer. The history is cut into parts that share no key; each is searched with
/// the algorithm of Wing and Gong in the form of Lowe (see <see cref="Search"/>), as Porcupine does.
/// </summary>
public static class Checker
{
    /// <param name="history">Operations in any order.</param>
    /// <param name="maxStates">The search of one part is given up after this many states.</param>
    public static Verdict Check(IReadOnlyCollection<Operation> history, int maxStates = 4_000_000)
    {
        var failing = new List<Verdict>();
        foreach (var part in Parts(history))
        {
            var kind = Search.Run(part, maxStates, out var longest);
            if (kind != VerdictKind.Linearizable) failing.Add(new Verdict(kind, Keys(part), part, longest));
        }

        var smallest = failing.OrderBy(v => v.Kind).ThenBy(v => v.Operations.Count).FirstOrDefault();
        if (smallest is null) return Verdict.Linearizable;
        return smallest.Kind == VerdictKind.NotLinearizable ? Shorten(smallest, maxStates) : smallest;
    }

    /// <summary>Every beginning of a linearizable history is linearizable, so the first failing moment is found by
    /// halving.</summary>
    private static Verdict Shorten(Verdict verdict, int maxStates)
    {
        var moments = verdict.Operations
            .Where(o => o.Return != Operation.Never).Select(o => o.Return).Order().ToArray();
        int low = 0, high = moments.Length - 1;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Search.Run(Until(verdict.Operations, moments[middle]), maxStates, out _)
                == VerdictKind.NotLinearizable)
                high = middle;
            else low = middle + 1;
        }

        var shortest = Until(verdict.Operations, moments[low]);
        return Search.Run(shortest, maxStates, out var longest) == VerdictKind.NotLinearizable
            ? verdict with { Operations = shortest, Longest = longest }
            : verdict;
    }

    private static List<Operation> Until(IEnumerable<Operation> operations, long moment) =>
    [
        .. operations.Where(o => o.Call <= moment).Select(o => o.Return <= moment
            ? o
            : o with { Return = Operation.Never, Outcome = Outcome.Unknown }),
    ];

    private static int[] Keys(IEnumerable<Operation> part) =>
        [.. part.SelectMany(o => o.Actions).Select(a => a.Key).Distinct().Order()];

    /// <summary>Keys that an operation touches together belong to one part.</summary>
    private static IEnumerable<List<Operation>> Parts(IReadOnlyCollection<Operation> history)
    {
        var parent = new Dictionary<int, int>();
        int Root(int key)
        {
            if (!parent.TryGetValue(key, out var up)) return parent[key] = key;
            return up == key ? key : parent[key] = Root(up);
        }

        foreach (var operation in history)
        {
            foreach (var action in operation.Actions) parent[Root(action.Key)] = Root(operation.Actions[0].Key);
        }

        return history.Where(o => o.Actions.Length > 0).GroupBy(o => Root(o.Actions[0].Key))
            .OrderBy(g => g.Key).Select(g => g.ToList());
    }
}
