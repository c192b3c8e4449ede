namespace RecoverKV.Chaos.Figures;

/// <summary>Of the report that <c>recoverkv bench --json -</c> writes, what the figures are made of.</summary>
internal sealed record Measured(
    Operation[] Operations, Node[] Nodes, Recovery[] Recoveries, Kill? Kill, string CommandLine, Machine Machine)
{
    /// <summary>What is said of one kind of operation, or of all together.</summary>
    public Operation? Of(string name) => Operations.FirstOrDefault(o => name == "all" ? o.IsTotal : o.Name == name);
}

/// <summary>Operations of one kind.</summary>
internal sealed record Operation(
    string Name, bool IsTotal, double PerSecond, double? CpuMicroseconds, Latency Latency);

/// <summary>In milliseconds.</summary>
internal sealed record Latency(double P50, double P99, double Max);

/// <summary>A node at the end.</summary>
internal sealed record Node(long ResidentBytes, long DataBytes);

/// <summary>A node that came back, in seconds.</summary>
internal sealed record Recovery(double Alive);

/// <summary>A kill under load, in seconds.</summary>
internal sealed record Kill(double LongestPauseSeconds, double? BackAfterSeconds);

/// <summary>Where it ran.</summary>
internal sealed record Machine(string Processor, int Cores, string Runtime);
