namespace RecoverKV.Chaos;

/// <summary>What a run does.</summary>
internal sealed record ChaosOptions
{
    /// <summary>How many nodes.</summary>
    public int Nodes { get; init; } = 3;

    /// <summary>How long faults are injected.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Client processes.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>Logical clients of each.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Mean time between two operations of a worker.</summary>
    public TimeSpan Think { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Draws faults and operations; threads and processes still run as they like.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Network namespaces (true), loopback (false), or the former where it can be done (null).</summary>
    public bool? Namespaces { get; init; }

    /// <summary>Only these; null for all that this machine can do.</summary>
    public IReadOnlyList<Faults.FaultKind>? Kinds { get; init; }

    /// <summary>Whether connections are encrypted, and certificates exchanged under way.</summary>
    public bool Tls { get; init; }

    /// <summary>Where the data, logs and histories go; null for a temporary folder that is deleted after a good
    /// run.</summary>
    public string? Folder { get; init; }

    /// <summary>The page whose section gets the results.</summary>
    public string? Results { get; init; }
}
