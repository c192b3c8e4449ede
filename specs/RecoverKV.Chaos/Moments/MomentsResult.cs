namespace RecoverKV.Chaos.Moments;

/// <summary>One round.</summary>
/// <param name="Kind">What came.</param>
/// <param name="Moment">When.</param>
/// <param name="Well">How long it took from then on until all nodes were ALIVE.</param>
internal sealed record MomentsRound(MomentKind Kind, Moment Moment, TimeSpan Well);

/// <summary>What a run came to.</summary>
internal sealed record MomentsResult
{
    public required DateTime Began { get; init; }

    public required TimeSpan Took { get; init; }

    public required IReadOnlyList<MomentsRound> Rounds { get; init; }

    /// <summary>What was seen that must not be, and in which round; null if nothing was.</summary>
    public required string? Violation { get; init; }

    public required IReadOnlyDictionary<Operation, TimeSpan> Durations { get; init; }

    public required long Acknowledged { get; init; }

    public required long Unknown { get; init; }

    /// <summary>Keys that were read back.</summary>
    public required long Read { get; init; }

    /// <summary>How often two replicas were compared at the same uid.</summary>
    public required long Compared { get; init; }

    /// <summary>Nodes that were started from a backup.</summary>
    public required int Started { get; init; }

    /// <summary>Bytes of the largest data folder.</summary>
    public required long Largest { get; init; }
}
