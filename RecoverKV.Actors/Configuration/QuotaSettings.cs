namespace RecoverKV.Actors.Configuration;

/// <summary>How much of a machine a node may take for data.</summary>
/// <param name="Memory">Bytes of keys and values in memory.</param>
/// <param name="Disk">Bytes of the data folder; null: as many as its volume has.</param>
public sealed record QuotaSettings(long Memory, long? Disk)
{
    /// <summary>What stands for "as much as the machine, or its cgroup, allows".</summary>
    internal const string Auto = "auto";

    private const long LeastMemory = 16L * 1024 * 1024;
    private const long LeastDisk = 64L * 1024 * 1024;
    private const long Most = 1024L * 1024 * 1024 * 1024 * 1024;

    // What a node takes without data: code, buffers, entries for peers.
    private const long Base = 128L * 1024 * 1024;

    /// <summary>The default for memory, where so many nodes share the machine: what keys and values leave behind takes
    /// as much as they do, until it is cleaned away.</summary>
    public static long AutoMemory(int nodes) =>
        Math.Max(LeastMemory, (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / nodes - Base) / 5 * 2);

    internal static QuotaSettings Read(SettingsReader read) => new(
        read.Text("quota.memory") == Auto ? AutoMemory(1) : read.Size("quota.memory", LeastMemory, Most),
        read.Text("quota.disk") == Auto ? null : read.Size("quota.disk", LeastDisk, Most));
}
