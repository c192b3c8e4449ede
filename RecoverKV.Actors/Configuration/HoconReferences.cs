namespace RecoverKV.Actors.Configuration;

/// <summary>
/// The substitutions of a text in HOCON. Akka's parser follows them without looking where it has been: one that leads
/// back to itself ends the process, and few that each name another one twice fill any memory.
/// </summary>
internal sealed class HoconReferences
{
    private const int Most = 100;
    private readonly List<(string Place, string Target, int Line)> _all = [];

    /// <summary>Notes one.</summary>
    /// <param name="place">The path of the key whose value it is in.</param>
    /// <param name="target">What stands between its braces.</param>
    /// <param name="line">Its line.</param>
    /// <returns>Whether there is room for it.</returns>
    public bool TryAdd(string place, string target, int line)
    {
        _all.Add((place, target.TrimStart('?').Replace("\"", "", StringComparison.Ordinal).Trim(), line));
        return _all.Count <= Most;
    }

    /// <summary>What is wrong with them, and in which line; null: nothing.</summary>
    public (int Line, string What)? Wrong()
    {
        var costs = new int?[_all.Count];
        var total = 0;
        for (var i = 0; i < _all.Count; i++)
        {
            if (Cost(i, costs, []) is not { } cost)
                return (_all[i].Line, $"the substitution of {_all[i].Target} leads back to itself");
            total += cost;
            if (total > Most)
                return (_all[i].Line, $"more than {Most} substitutions, counting those in what is put in");
        }

        return null;
    }

    /// <summary>How many substitutions one needs; null if there is no end of them. No deeper than there are of
    /// them.</summary>
    private int? Cost(int index, int?[] costs, HashSet<int> onTheWay)
    {
        if (costs[index] is { } known) return known;
        if (!onTheWay.Add(index)) return null;
        var cost = 1;
        for (var next = 0; next < _all.Count && cost <= Most; next++)
        {
            if (!Holds(_all[index].Target, _all[next].Place) && !Holds(_all[next].Place, _all[index].Target)) continue;
            if (Cost(next, costs, onTheWay) is not { } more) return null;
            cost += more;
        }

        onTheWay.Remove(index);
        costs[index] = cost;
        return cost;
    }

    /// <summary>Whether one path is another one or leads to it.</summary>
    private static bool Holds(string outer, string inner) =>
        outer.Length == 0 || inner.StartsWith(outer, StringComparison.Ordinal)
        && (inner.Length == outer.Length || inner[outer.Length] == '.');
}
