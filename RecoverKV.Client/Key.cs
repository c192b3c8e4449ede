using System.Text;

namespace RecoverKV.Client;

/// <summary>
/// A key of the store: a non-empty sequence of bytes, usually the UTF-8 form of a string.
/// Immutable, compared byte by byte; safe to share between threads. The memory that it wraps must not change.
/// </summary>
public readonly struct Key : IEquatable<Key>, IComparable<Key>
{
    private readonly int _hash;

    /// <summary>Wraps <paramref name="bytes"/> without copying them.</summary>
    public Key(ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes;
        var hash = new HashCode();
        hash.AddBytes(bytes.Span);
        _hash = hash.ToHashCode();
    }

    /// <summary>The UTF-8 form of <paramref name="text"/>.</summary>
    public Key(string text) : this(Encoding.UTF8.GetBytes(text)) { }

    /// <summary>The bytes of the key.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The number of bytes.</summary>
    public int Length => Bytes.Length;

    /// <summary>The UTF-8 form of <paramref name="text"/>.</summary>
    public static implicit operator Key(string text) => new(text);

    /// <summary>A key of these bytes, which are not copied.</summary>
    public static implicit operator Key(byte[] bytes) => new(bytes);

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Key left, Key right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(Key left, Key right) => !left.Equals(right);

    /// <summary>Byte order.</summary>
    public static bool operator <(Key left, Key right) => left.CompareTo(right) < 0;

    /// <summary>Byte order.</summary>
    public static bool operator <=(Key left, Key right) => left.CompareTo(right) <= 0;

    /// <summary>Byte order.</summary>
    public static bool operator >(Key left, Key right) => left.CompareTo(right) > 0;

    /// <summary>Byte order.</summary>
    public static bool operator >=(Key left, Key right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public bool Equals(Key other) => _hash == other._hash && Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Key other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <summary>Compares byte by byte, as unsigned numbers.</summary>
    public int CompareTo(Key other) => Bytes.Span.SequenceCompareTo(other.Bytes.Span);

    /// <summary>A copy in memory of its own, for keeping beyond the buffer that this key was read from.</summary>
    public Key Detach() => new(Bytes.ToArray());

    /// <summary>The key read as UTF-8; bytes that are no UTF-8 show as replacement characters.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes.Span);
}
