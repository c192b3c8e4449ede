using RecoverKV.Simulation;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Simulation;

/// <summary>
/// Histories with a known verdict: operations are carried out one after the other on a map, each at one moment, and
/// then stretched to an interval around that moment, so the result is linearizable by construction.
/// </summary>
internal static class HistoryMaker
{
    public static List<Operation> Linearizable(
        ulong seed, int operations, int keys, int clients, bool multiKey, double unknown, double untold = 0)
    {
        var random = new Prng(seed);
        var state = new Dictionary<int, long>();
        var free = new long[clients];
        var history = new List<Operation>();
        for (var i = 1; i <= operations; i++)
        {
            var moment = i * 1000L;
            var client = Enumerable.Range(0, clients).MinBy(c => (free[c], c));
            if (free[client] >= moment) continue; // every client is busy
            var width = random.Between(1, 1 + clients * 800);
            var call = Math.Max(free[client] + 1, moment - width);
            var end = moment + random.Between(0, width);
            free[client] = end;
            var actions = Actions(random, i, keys, multiKey, state);
            var holds = actions.All(a => a.Expected is not { } expected || expected == a.Observed);
            var isWrite = actions.Any(a => a.Kind is ActionKind.Put or ActionKind.Delete);
            var lost = isWrite && random.Chance(unknown);
            var happens = holds && !(lost && random.Chance(0.5));
            if (happens) Apply(actions, state);
            if (isWrite && untold > 0 && random.Chance(untold))
                actions = [.. actions.Select(a => a with { Observed = KeyAction.NotTold })];
            history.Add(lost
                ? new Operation(client, call, Operation.Never, Outcome.Unknown, actions)
                : new Operation(client, call, end, holds ? Outcome.Applied : Outcome.Refused, actions));
        }

        return history;
    }

    /// <summary>Gives one observation another value of the same key, so that hardly any order explains it.</summary>
    public static List<Operation> Mutate(ulong seed, List<Operation> history)
    {
        var random = new Prng(seed);
        var result = history.ToList();
        var answered = Enumerable.Range(0, result.Count).Where(i => result[i].Outcome != Outcome.Unknown).ToList();
        var index = random.Pick(answered);
        var target = result[index];
        var part = random.Below(target.Actions.Length);
        var values = history.SelectMany(o => o.Actions)
            .Where(a => a.Key == target.Actions[part].Key && a.Kind == ActionKind.Put).Select(a => a.Value)
            .Append(0).Where(v => v != target.Actions[part].Observed).ToList();
        if (values.Count == 0) return result;
        var actions = target.Actions.ToArray();
        actions[part] = actions[part] with { Observed = random.Pick(values) };
        result[index] = target with { Actions = actions };
        return result;
    }

    /// <summary>Gives one answer a value that nobody can have seen by then: one that is put only later, or never. No
    /// order explains it.</summary>
    public static List<Operation> Spoil(ulong seed, List<Operation> history, out Operation spoiled)
    {
        var random = new Prng(seed);
        var result = history.ToList();
        var answered = Enumerable.Range(0, result.Count).Where(i => result[i].Outcome != Outcome.Unknown).ToList();
        var index = random.Pick(answered);
        var target = result[index];
        var part = random.Below(target.Actions.Length);
        var later = history.Where(o => o.Call > target.Return).SelectMany(o => o.Actions)
            .Where(a => a.Key == target.Actions[part].Key && a.Kind == ActionKind.Put).Select(a => a.Value).ToList();
        var actions = target.Actions.ToArray();
        actions[part] = actions[part] with
        {
            Observed = later.Count > 0 && random.Chance(0.5) ? random.Pick(later) : long.MaxValue,
        };
        spoiled = result[index] = target with { Actions = actions };
        return result;
    }

    private static KeyAction[] Actions(
        Prng random, int number, int keys, bool multiKey, Dictionary<int, long> state)
    {
        var chosen = random.Sample(Enumerable.Range(0, keys).ToList(), multiKey ? random.Between(1, keys) : 1);
        var isRead = random.Chance(0.5);
        return
        [
            .. chosen.Select(key =>
            {
                var now = state.GetValueOrDefault(key);
                if (isRead) return new KeyAction(ActionKind.Get, key, Observed: now);
                var expected = random.Below(4) switch { 0 => now, 1 => 0L, _ => (long?)null };
                return random.Below(5) switch
                {
                    0 => new KeyAction(ActionKind.Delete, key, 0, expected, now),
                    1 => new KeyAction(ActionKind.Check, key, 0, expected, now),
                    _ => new KeyAction(ActionKind.Put, key, number * 10L + key, expected, now),
                };
            }),
        ];
    }

    private static void Apply(KeyAction[] actions, Dictionary<int, long> state)
    {
        foreach (var action in actions)
        {
            if (action.Kind == ActionKind.Put) state[action.Key] = action.Value;
            else if (action.Kind == ActionKind.Delete) state.Remove(action.Key);
        }
    }
}
