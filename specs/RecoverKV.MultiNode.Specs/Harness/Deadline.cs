using System.Diagnostics;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>When waiting has become hopeless: far beyond what any step takes, so that a slow machine fails no
/// spec.</summary>
internal sealed class Deadline
{
    private readonly long _start = Stopwatch.GetTimestamp();

    public bool IsOver => Stopwatch.GetElapsedTime(_start) > TestCluster.Patience;
}
