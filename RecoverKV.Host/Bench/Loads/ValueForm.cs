using System.Buffers.Binary;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>The values of a run: each names the run, its key and its version, so that a read that gives anything else
/// than what was written is noticed. The rest is noise.</summary>
internal sealed class ValueForm
{
    /// <summary>The shortest value that can name all that.</summary>
    public const int Shortest = 16;

    private readonly long _run;
    private readonly byte[] _noise;

    /// <summary>Values of this length.</summary>
    public ValueForm(int size, long run)
    {
        _run = run;
        _noise = new byte[size - Shortest];
        new Random(unchecked((int)run)).NextBytes(_noise);
    }

    /// <summary>Their length.</summary>
    public int Size => Shortest + _noise.Length;

    /// <summary>Writes the value of a key's version.</summary>
    public void Write(Span<byte> value, int key, int version)
    {
        BinaryPrimitives.WriteInt64LittleEndian(value, _run);
        BinaryPrimitives.WriteInt32LittleEndian(value[8..], key);
        BinaryPrimitives.WriteInt32LittleEndian(value[12..], version);
        _noise.CopyTo(value[Shortest..]);
    }

    /// <summary>The version that a value of the key names; 0 if it is none that this run wrote for that key.</summary>
    public int VersionOf(ReadOnlySpan<byte> value, int key) =>
        value.Length == Size
        && BinaryPrimitives.ReadInt64LittleEndian(value) == _run
        && BinaryPrimitives.ReadInt32LittleEndian(value[8..]) == key
        && value[Shortest..].SequenceEqual(_noise)
            ? BinaryPrimitives.ReadInt32LittleEndian(value[12..])
            : 0;
}
