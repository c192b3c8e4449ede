using System.Runtime.InteropServices;
using System.Text;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>A key was read: its version, or null if it is absent.</summary>
/// <param name="Version">Value and uid of the write that stored it; null: absent.</param>
/// <param name="Age">Zero for a linearizable read; for a stale one how old the state may be, null if unknown.</param>
public readonly record struct GetResult(Contracts.Version? Version, TimeSpan? Age)
{
    /// <summary>Whether newer writes may have been acknowledged before the read began.</summary>
    public bool IsStale => Age != TimeSpan.Zero;

    /// <summary>The value read as UTF-8; null if the key is absent.</summary>
    public string? Text => Version is null ? null : Encoding.UTF8.GetString(Version.Value.Span);
}

/// <summary>A write was committed.</summary>
/// <param name="Applied">False if a condition did not hold: nothing was changed.</param>
/// <param name="Uid">Its place in the order of writes.</param>
/// <param name="Previous">If that was asked for, for each operation the version before the write, null if the key was
/// absent; else empty.</param>
/// <param name="PreviousOmitted">The versions before the write were asked for and are not known: together they do not
/// fit one message, or they have more than 4 KiB and the answer had to be given a second time, as the first was lost.
/// At least one of the keys was there.</param>
public sealed record WriteResult(
    bool Applied, long Uid, IReadOnlyList<Contracts.Version?> Previous, bool PreviousOmitted = false);

/// <summary>The state of the cluster as far as it could be reached.</summary>
/// <param name="Nodes">Every configured node; those that did not answer are DEAD.</param>
public sealed record ClusterStatus(IReadOnlyList<NodeStatus> Nodes);

/// <summary>
/// Decoded values are slices of the message that brought them. What an application may keep for long must not hold a
/// message of 4 MiB in memory for a value of 10 bytes.
/// </summary>
internal static class Detach
{
    internal static Contracts.Version? Of(Contracts.Version? version) =>
        version is null || OwnsItsMemory(version.Value) ? version : version with { Value = version.Value.ToArray() };

    internal static IReadOnlyList<Contracts.Version?> All(IReadOnlyList<Contracts.Version?> versions)
    {
        if (versions.Count == 0) return [];
        var detached = new Contracts.Version?[versions.Count];
        for (var i = 0; i < detached.Length; i++) detached[i] = Of(versions[i]);
        return detached;
    }

    private static bool OwnsItsMemory(ReadOnlyMemory<byte> memory) =>
        memory.IsEmpty
        || MemoryMarshal.TryGetArray(memory, out var segment) && segment.Array!.Length <= memory.Length * 2;
}
