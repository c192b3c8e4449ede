namespace RecoverKV.Actors.State;

/// <summary>What a key's record has beside its key, its value and its uid. Revisions count the requests that changed a
/// key.
/// </summary>
/// <param name="Created">The revision in which the key came to be.</param>
/// <param name="Modified">The revision in which it was put last.</param>
/// <param name="Version">How often it was put since it came to be: 1, 2, …</param>
internal readonly record struct RecordFields(long Created, long Modified, long Version)
{
    /// <summary>The most bytes that <see cref="Write(Span{byte})"/> writes.</summary>
    public const int MostBytes = 30;

    /// <summary>Writes them in few bytes, and says how many.</summary>
    public int Write(Span<byte> to)
    {
        var length = Write(to, (ulong)Modified);
        length += Write(to[length..], (ulong)(Modified - Created));
        return length + Write(to[length..], (ulong)Version);
    }

    /// <summary>Reads what was written.</summary>
    public static RecordFields Read(ReadOnlySpan<byte> from)
    {
        var modified = (long)Next(ref from);
        var age = (long)Next(ref from);
        return new RecordFields(modified - age, modified, (long)Next(ref from));
    }

    // Seven bits a byte, the lowest first (LEB128).
    private static int Write(Span<byte> to, ulong number)
    {
        var at = 0;
        for (; number >= 0x80; number >>= 7) to[at++] = (byte)(number | 0x80);
        to[at] = (byte)number;
        return at + 1;
    }

    private static ulong Next(ref ReadOnlySpan<byte> from)
    {
        ulong number = 0;
        for (var at = 0; ; at++)
        {
            number |= (ulong)(from[at] & 0x7F) << (7 * at);
            if (from[at] >= 0x80) continue;
            from = from[(at + 1)..];
            return number;
        }
    }
}
