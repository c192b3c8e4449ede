namespace RecoverKV.Actors.Protocol;

/// <summary>
/// The bytes of entries that were applied, one behind the other in large arrays: to the garbage collector a few objects
/// that it need not move, instead of the buffers of all messages that entries came with. Bytes never change where they
/// are, and an array is free when nobody has a slice of it any more. Not thread-safe.
/// </summary>
internal sealed class AppliedBytes
{
    internal const int ArraySize = 256 * 1024;

    // A larger entry is most of its message anyway, and would leave too much room at the end of an array.
    internal const int Largest = ArraySize / 16;
    private const int FirstArraySize = 4 * 1024;
    private byte[] _array = [];
    private int _used;

    /// <summary>The same bytes, here.</summary>
    public ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > Largest) return bytes;
        if (bytes.Length > _array.Length - _used)
            (_array, _used) = (GC.AllocateUninitializedArray<byte>(SizeAfter(_array.Length, bytes.Length)), 0);
        var kept = _array.AsMemory(_used, bytes.Length);
        bytes.CopyTo(kept);
        _used += bytes.Length;
        return kept;
    }

    // A store of little need not have much.
    private static int SizeAfter(int before, int needed) =>
        Math.Max(needed, Math.Clamp(4 * before, FirstArraySize, ArraySize));
}
