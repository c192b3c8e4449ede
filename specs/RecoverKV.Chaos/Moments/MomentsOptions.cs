namespace RecoverKV.Chaos.Moments;

/// <summary>What a run does.</summary>
internal sealed record MomentsOptions
{
    /// <summary>How long rounds are begun.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Draws rounds, nodes and moments; threads and processes still run as they like.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many keys the store has, each with some 1.5 KiB.</summary>
    public int Keys { get; init; } = 10_000;

    /// <summary>Ports from here on; 0: any that are free.</summary>
    public int Port { get; init; }

    /// <summary>Only these; null for all that this machine can do.</summary>
    public IReadOnlyList<MomentKind>? Kinds { get; init; }
}
