using System.Globalization;
using System.Text;
using RecoverKV.Client;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>The keys of a load, made beforehand: a prefix and a number, of equal length.</summary>
internal sealed class KeySpace
{
    /// <summary>The shortest keys that there are.</summary>
    public const int ShortestKey = 16;

    /// <summary>What is measured has keys that begin so.</summary>
    public const string Measured = "bench/";

    /// <summary>What is done to warm up has other keys.</summary>
    public const string Warm = "warm-/";

    private readonly Key[] _keys;

    /// <summary>The keys with the numbers from <paramref name="first"/> on.</summary>
    public KeySpace(string prefix, int first, int count, int keySize)
    {
        First = first;
        _keys = new Key[count];
        var bytes = new byte[(long)count * keySize];
        for (var i = 0; i < count; i++)
        {
            var key = bytes.AsMemory(i * keySize, keySize);
            key.Span.Fill((byte)'0');
            Encoding.ASCII.GetBytes(prefix, key.Span);
            var number = (first + i).ToString(CultureInfo.InvariantCulture);
            Encoding.ASCII.GetBytes(number, key.Span[(keySize - number.Length)..]);
            _keys[i] = new Key(key);
        }
    }

    /// <summary>The number of the first one.</summary>
    public int First { get; }

    /// <summary>How many.</summary>
    public int Count => _keys.Length;

    /// <summary>One of them, by its place from 0 on.</summary>
    public Key this[int index] => _keys[index];
}
