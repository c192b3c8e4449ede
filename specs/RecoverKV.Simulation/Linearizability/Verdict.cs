namespace RecoverKV.Simulation.Linearizability;

public enum VerdictKind
{
    Linearizable,
    NotLinearizable,

    /// <summary>The search was given up: too many states.</summary>
    Undecided,
}

/// <summary>What the checker found.</summary>
/// <param name="Kind">The verdict.</param>
/// <param name="Keys">The keys of the smallest part of the history that fails, or was not decided.</param>
/// <param name="Operations">Its operations up to the first moment at which no order explains it any more.</param>
/// <param name="Longest">The longest order that explains the beginning of it.</param>
public sealed record Verdict(
    VerdictKind Kind, IReadOnlyList<int> Keys, IReadOnlyList<Operation> Operations, IReadOnlyList<Operation> Longest)
{
    public static readonly Verdict Linearizable = new(VerdictKind.Linearizable, [], [], []);

    public override string ToString() => Kind == VerdictKind.Linearizable
        ? "linearizable"
        : $"{(Kind == VerdictKind.Undecided ? "undecided" : "not linearizable")}: keys {string.Join(' ', Keys)}, "
            + $"{Operations.Count} operations\n  " + string.Join("\n  ", Operations);
}
