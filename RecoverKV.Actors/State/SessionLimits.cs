namespace RecoverKV.Actors.State;

/// <summary>
/// R9: how much of their answers sessions keep. Constants of the state machine: what is evicted follows from the log
/// and from these, so that replicas with others would have another state. Nodes have the standard ones; others are for
/// the simulator and for specs.
/// </summary>
internal sealed record SessionLimits
{
    /// <summary>Those of every node.</summary>
    public static readonly SessionLimits Standard = new();

    /// <summary>The least recently used session is evicted beyond this many.</summary>
    public int Sessions { get; init; } = 10_000;

    /// <summary>A session that keeps more answers than this loses those with the lowest numbers.</summary>
    public int AnswersPerSession { get; init; } = 4_096;

    /// <summary>The least recently used sessions are evicted while all answers take more than this many
    /// bytes.</summary>
    public long Bytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// The versions that a write replaced are kept with its answer if they take no more bytes than this together. So a
    /// full session takes 17 MiB, whatever it wrote, and no single write evicts other sessions by the size of what was
    /// there before it.
    /// </summary>
    public int PreviousBytes { get; init; } = 4 * 1024;
}
