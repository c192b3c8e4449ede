namespace RecoverKV.Client;

/// <summary>Keys from one on and up to another, by their bytes. Immutable; safe to share between threads. The default
/// is all keys. The memory that it wraps must not change.</summary>
public readonly struct KeyRange
{
    private KeyRange(ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => (From, To) = (from, to);

    /// <summary>All keys.</summary>
    public static KeyRange All => default;

    /// <summary>Keys at or above this are in it; every key is at or above an empty one.</summary>
    public ReadOnlyMemory<byte> From { get; }

    /// <summary>Keys below this are in it; null if there is no such bound.</summary>
    public ReadOnlyMemory<byte>? To { get; }

    /// <summary>The keys from one on, itself included, up to another, that one not.</summary>
    /// <param name="from">Null for the first key that there is.</param>
    /// <param name="to">Null for the end of all keys.</param>
    /// <exception cref="ArgumentException">The end is before the begin.</exception>
    public static KeyRange Between(Key? from, Key? to)
    {
        if (from is { } first && to is { } end && end < first)
            throw new ArgumentException($"The range ends at {end}, before its begin {first}.", nameof(to));
        return new KeyRange(from?.Bytes ?? default, to?.Bytes);
    }

    /// <summary>The keys that begin with these bytes.</summary>
    public static KeyRange Prefix(Key prefix)
    {
        var bytes = prefix.Bytes.Span;
        // The lowest above all of them: what ends with 0xFF has none of its length.
        var length = bytes.Length;
        while (length > 0 && bytes[length - 1] == 0xFF) length--;
        if (length == 0) return new KeyRange(prefix.Bytes, null);
        var end = bytes[..length].ToArray();
        end[^1]++;
        return new KeyRange(prefix.Bytes, end);
    }

    /// <summary>Whether the key is in it.</summary>
    public bool Contains(Key key) => IsAtOrAboveFrom(key.Bytes.Span) && IsBelowTo(key.Bytes.Span);

    /// <summary>What is left of it behind a key, in the direction of a scan.</summary>
    internal KeyRange After(Key key, bool reverse)
    {
        if (reverse)
            return To is { } to && to.Span.SequenceCompareTo(key.Bytes.Span) <= 0
                ? this
                : new KeyRange(From, key.Bytes);
        if (From.Span.SequenceCompareTo(key.Bytes.Span) > 0) return this;
        var next = new byte[key.Length + 1];
        key.Bytes.CopyTo(next);
        return new KeyRange(next, To);
    }

    internal KeyRange Detach() => To is { } to ? new(From.ToArray(), to.ToArray()) : new(From.ToArray(), null);

    internal static KeyRange OfBounds(ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => new(from, to);

    internal bool IsAtOrAboveFrom(ReadOnlySpan<byte> key) => key.SequenceCompareTo(From.Span) >= 0;

    internal bool IsBelowTo(ReadOnlySpan<byte> key) => To is not { } to || key.SequenceCompareTo(to.Span) < 0;

    /// <summary>Whether no key can be in it.</summary>
    internal bool IsEmpty => To is { } to && to.Span.SequenceCompareTo(From.Span) <= 0;
}
