using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>A decoder that bytes from outside reach, and what is asked of it.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Valid">Makes an encoding that it must take.</param>
/// <param name="Decode">Decodes; returns in time linear in its input, whatever the bytes are.</param>
/// <param name="Refuses">Whether this is how it says that an input is wrong.</param>
public sealed record Target(
    string Name, Func<Prng, byte[]> Valid, Action<byte[]> Decode, Func<Exception, bool> Refuses)
{
    /// <summary>Texts that mean something to it, for mutations.</summary>
    public IReadOnlyList<byte[]> Words { get; init; } = [];

    /// <summary>No input is longer. What takes more than linear time does so for inputs of 1 MiB.</summary>
    public int Longest { get; init; } = 1024 * 1024;

    /// <summary>How many bytes it may allocate for any input: an exception with its stack, tables of enums.</summary>
    public long Fixed { get; init; } = 64 * 1024;

    /// <summary>How many more for each byte of it, garbage included. Two bytes on the wire can stand for an empty
    /// operation of a write, of 56 bytes in memory, for an empty answer in a list that grows, or for an empty
    /// view.</summary>
    public int PerByte { get; init; } = 96;
}
