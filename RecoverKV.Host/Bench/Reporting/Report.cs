using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>What a benchmark found, as it is shown, and written as JSON and HTML.</summary>
internal sealed record Report
{
    /// <summary>Which benchmark.</summary>
    public required string Bench { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>How it was called.</summary>
    public required string CommandLine { get; init; }

    /// <summary>Where it ran.</summary>
    public required Machine Machine { get; init; }

    /// <summary>What it was told, and the cluster that it measured.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>What was measured.</summary>
    public required IReadOnlyList<OperationReport> Operations { get; init; }

    /// <summary>The nodes at the end, if the benchmark started them.</summary>
    public IReadOnlyList<NodeReport> Nodes { get; init; } = [];

    /// <summary>What became of the acknowledged writes.</summary>
    public required CheckResult Check { get; init; }

    /// <summary>What a kill did, if there was one under load.</summary>
    public KillReport? Kill { get; init; }

    /// <summary>How nodes came back, if that was measured.</summary>
    public IReadOnlyList<RecoveryReport> Recoveries { get; init; } = [];

    /// <summary>How many calls failed.</summary>
    public long Errors => Operations.Sum(o => o.IsTotal ? 0 : o.Errors.Values.Sum());
}

/// <summary>Where a benchmark ran.</summary>
/// <param name="System">Operating system.</param>
/// <param name="Processor">Name of the processor.</param>
/// <param name="Cores">Logical cores.</param>
/// <param name="MemoryBytes">Memory.</param>
/// <param name="Runtime">Version of .NET.</param>
/// <param name="Load">The load average before it began, where the system tells.</param>
internal sealed record Machine(
    string System, string Processor, int Cores, long MemoryBytes, string Runtime, string? Load);

/// <summary>A node at the end of a benchmark.</summary>
/// <param name="Node">Its id.</param>
/// <param name="ResidentBytes">Its memory; 0 if it is down.</param>
/// <param name="DataBytes">The files of its folder.</param>
internal sealed record NodeReport(string Node, long ResidentBytes, long DataBytes);

/// <summary>What a kill did under load.</summary>
/// <param name="Node">Who was killed.</param>
/// <param name="WasSequencer">Whether it led.</param>
/// <param name="AtSecond">When, from the start of the load.</param>
/// <param name="LongestPauseSeconds">The longest time after it in which no operation ended.</param>
/// <param name="BackAfterSeconds">When throughput was above 90% of that before again; null: not within the
/// load.</param>
internal sealed record KillReport(
    string Node, bool WasSequencer, double AtSecond, double LongestPauseSeconds, double? BackAfterSeconds);

/// <summary>How a node came back. In seconds from the start of its process.</summary>
/// <param name="Node">Which node.</param>
/// <param name="Listens">It took connections.</param>
/// <param name="Replayed">Its journal was replayed.</param>
/// <param name="Complete">It had every write that there was when it started.</param>
/// <param name="Alive">It was ALIVE.</param>
internal sealed record RecoveryReport(string Node, double Listens, double Replayed, double Complete, double Alive);
