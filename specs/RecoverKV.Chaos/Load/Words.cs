using System.Globalization;
using System.Text;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Load;

/// <summary>Keys and values of the load: a key has a number, and every put of a run stores another number.</summary>
internal static class Words
{
    /// <summary>Keys are used for so long, all clients changing to new ones at the same moment: a history that is cut
    /// into parts by its keys can be searched.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromSeconds(10);

    /// <summary>Keys at a time.</summary>
    public const int KeysOfSlice = 6;

    private const string Prefix = "chaos/";

    /// <summary>A key of the slice that a moment is in.</summary>
    public static int KeyAt(long nanoseconds, int index) =>
        (int)(nanoseconds / (Slice.Ticks * 100) * KeysOfSlice) + index;

    public static Key Key(int number) => new(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}"));

    public static bool TryNumber(string key, out int number)
    {
        number = 0;
        return key.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(key.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>A value of a number, with a tail to fill it up.</summary>
    public static byte[] Value(long number, int length) =>
        Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture).PadRight(length, '.'));

    /// <summary>The number of a value.</summary>
    public static long Number(ReadOnlySpan<byte> value) =>
        long.Parse(value.TrimEnd((byte)'.'), NumberStyles.None, CultureInfo.InvariantCulture);
}
