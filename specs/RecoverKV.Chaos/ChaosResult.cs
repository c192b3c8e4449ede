using RecoverKV.Chaos.Faults;
using RecoverKV.Chaos.History;

namespace RecoverKV.Chaos;

/// <summary>What a run came to.</summary>
internal sealed record ChaosResult
{
    public required DateTime Began { get; init; }

    public required TimeSpan Took { get; init; }

    public required string Network { get; init; }

    public required IReadOnlyList<FaultKind> Kinds { get; init; }

    public required IReadOnlyList<HistoryEntry> History { get; init; }

    public required IReadOnlyList<FaultRecord> Faults { get; init; }

    public required IReadOnlyList<string> Violations { get; init; }

    /// <summary>Whether the search for an order came to an end.</summary>
    public required bool Decided { get; init; }

    public required long Compared { get; init; }

    public required int FoldersMoved { get; init; }

    public required int Starts { get; init; }

    public required int Checkpoints { get; init; }

    public required int Transfers { get; init; }
}
