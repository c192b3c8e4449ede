namespace RecoverKV.Chaos.Cluster;

/// <summary>Libraries that each node's process is started with, so that time and disk can be played with.</summary>
/// <param name="FakeTime">Makes its wall clock jump; null: there is none.</param>
/// <param name="SlowDisk">Makes its syncs wait; null: there is none.</param>
internal sealed record Preloads(string? FakeTime, string? SlowDisk)
{
    /// <summary>As the dynamic linker takes them.</summary>
    public string All => string.Join(':', new[] { FakeTime, SlowDisk }.OfType<string>());
}
