namespace RecoverKV.Simulation.Linearizability;

/// <summary>What an operation does to one key. Values are numbers, unique for each put of a history; 0 is
/// absent.</summary>
public enum ActionKind
{
    Get,
    Put,
    Delete,

    /// <summary>Only its condition counts.</summary>
    Check,
}

/// <summary>One key's part of an operation.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Key">Which key.</param>
/// <param name="Value">What a put stores; never 0.</param>
/// <param name="Expected">The value that the key must have, 0 for absent; null for no condition. If the condition of
/// any part fails, the whole operation changes nothing.</param>
/// <param name="Observed">The value that the key was said to have before, or <see cref="NotTold"/>; meaningless if the
/// outcome is unknown.</param>
public readonly record struct KeyAction(
    ActionKind Kind, int Key, long Value = 0, long? Expected = null, long Observed = 0)
{
    /// <summary>The answer did not say which value the key had before. No put stores it.</summary>
    public const long NotTold = -1;

    /// <summary>Whether an answer that tells of <see cref="Observed"/> may be of this value.</summary>
    public bool Agrees(long value) => Observed == value || Observed == NotTold;
}

/// <summary>How an operation ended, as its client knows it.</summary>
public enum Outcome
{
    /// <summary>No answer: it may take effect at any later time, or never.</summary>
    Unknown,

    /// <summary>It took effect; of a read: it was answered.</summary>
    Applied,

    /// <summary>A condition failed; nothing was changed.</summary>
    Refused,
}

/// <summary>An operation of a history. Call and return are positions in one order of all events.</summary>
public sealed record Operation(int Client, long Call, long Return, Outcome Outcome, KeyAction[] Actions)
{
    /// <summary>The return of an operation that has none.</summary>
    public const long Never = long.MaxValue;

    /// <summary>It may change the state.</summary>
    public bool IsWrite => Actions.Any(a => a.Kind is ActionKind.Put or ActionKind.Delete);

    public override string ToString() =>
        $"client {Client} [{Call}, {(Return == Never ? "?" : Return)}] {string.Join(" + ", Actions.Select(Describe))}"
        + (Outcome == Outcome.Refused ? " refused" : "");

    private string Describe(KeyAction action)
    {
        var condition = action.Expected switch
        {
            null => "",
            0 => " if absent",
            var value => $" if {value}",
        };
        var seen = Outcome == Outcome.Unknown || action.Observed == KeyAction.NotTold
            ? "?"
            : action.Observed == 0 ? "absent" : $"{action.Observed}";
        return action.Kind switch
        {
            ActionKind.Get => $"get k{action.Key} = {seen}",
            ActionKind.Put => $"put k{action.Key} {action.Value}{condition} (was {seen})",
            ActionKind.Delete => $"delete k{action.Key}{condition} (was {seen})",
            _ => $"check k{action.Key}{condition} (was {seen})",
        };
    }
}
