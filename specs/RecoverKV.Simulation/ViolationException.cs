using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation;

/// <summary>A property does not hold.</summary>
public sealed class ViolationException(string property, string what, Exception? inner = null)
    : Exception($"{property}: {what}", inner)
{
    public string Property { get; } = property;

    /// <summary>Of a history that is not linearizable.</summary>
    public Verdict? Verdict { get; init; }
}
