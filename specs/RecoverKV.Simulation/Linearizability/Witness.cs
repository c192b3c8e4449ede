namespace RecoverKV.Simulation.Linearizability;

/// <summary>Checks one order of the operations of a history, given by whoever knows it, instead of searching for one.
/// An order that passes proves the history linearizable, however large it is; one that does not proves
/// nothing.</summary>
public static class Witness
{
    /// <param name="order">Every operation with an answer, and of the others those that took effect.</param>
    public static bool Explains(IEnumerable<Operation> order)
    {
        var state = new Dictionary<int, long>();
        var lastCall = long.MinValue;
        foreach (var operation in order)
        {
            // Nothing that returned before an earlier one of the order was called can come after it.
            if (operation.Return < lastCall) return false;
            lastCall = Math.Max(lastCall, operation.Call);
            var known = operation.Outcome != Outcome.Unknown;
            var holds = true;
            foreach (var action in operation.Actions)
            {
                var value = state.GetValueOrDefault(action.Key);
                if (known && !action.Agrees(value)) return false;
                holds &= action.Expected is not { } expected || expected == value;
            }

            if (known && holds != (operation.Outcome == Outcome.Applied)) return false;
            if (!holds) continue;
            foreach (var action in operation.Actions)
            {
                if (action.Kind == ActionKind.Put) state[action.Key] = action.Value;
                else if (action.Kind == ActionKind.Delete) state[action.Key] = 0;
            }
        }

        return true;
    }
}
