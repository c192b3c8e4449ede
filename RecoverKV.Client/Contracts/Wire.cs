using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace RecoverKV.Client.Contracts;

/// <summary>
/// Writes the Protobuf wire format (https://protobuf.dev/programming-guides/encoding) into one growing buffer. Zero
/// numbers and empty bytes are left out, as proto3 does. Not thread-safe.
/// </summary>
public sealed class WireWriter
{
    private byte[] _buffer;
    private int _length;

    /// <summary>An empty writer with room for <paramref name="capacity"/> bytes before it grows.</summary>
    public WireWriter(int capacity = 256) => _buffer = new byte[Math.Max(16, capacity)];

    /// <summary>Bytes written so far.</summary>
    public int Length => _length;

    /// <summary>Forgets what was written and keeps the buffer, for the next message.</summary>
    public void Clear() => _length = 0;

    /// <summary>The bytes written so far; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>The same, to keep: the writer must not be used again.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>The bytes written, in an array of exactly their length; the writer must not be used again.</summary>
    public byte[] ToArray() => _length == _buffer.Length ? _buffer : _buffer.AsSpan(0, _length).ToArray();

    /// <summary>An integer field (int64, uint64, enum); left out when 0.</summary>
    public void Int(int field, long value)
    {
        if (value != 0) AlwaysInt(field, value);
    }

    /// <summary>An integer field that is written even when 0: presence matters, or it stands in a list.</summary>
    public void AlwaysInt(int field, long value)
    {
        Varint((ulong)(uint)(field << 3));
        Varint((ulong)value);
    }

    /// <summary>A bool field; left out when false.</summary>
    public void Bool(int field, bool value) => Int(field, value ? 1 : 0);

    /// <summary>A bytes field; left out when empty.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty) AlwaysBytes(field, value);
    }

    /// <summary>A bytes or message field that is written even when empty: it stands in a list.</summary>
    public void AlwaysBytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)(uint)(field << 3 | 2));
        Varint((ulong)value.Length);
        Ensure(value.Length);
        value.CopyTo(_buffer.AsSpan(_length));
        _length += value.Length;
    }

    /// <summary>A string field; left out when null or empty.</summary>
    public void String(int field, string? value)
    {
        if (!string.IsNullOrEmpty(value)) AlwaysString(field, value);
    }

    /// <summary>A string field that is written even when empty: it stands in a list.</summary>
    public void AlwaysString(int field, string value) => AlwaysBytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>An id, as a bytes field of 16 in big-endian order; left out when empty.</summary>
    public void Id(int field, Guid id)
    {
        if (id != Guid.Empty) AlwaysId(field, id);
    }

    /// <summary>An id that is written even when empty.</summary>
    public void AlwaysId(int field, Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        AlwaysBytes(field, bytes);
    }

    /// <summary>Begins a message field; what is written until <see cref="End"/> is its content.</summary>
    /// <returns>A mark for <see cref="End"/>.</returns>
    public int Begin(int field)
    {
        Varint((ulong)(uint)(field << 3 | 2));
        Ensure(1);
        return ++_length;
    }

    /// <summary>Ends the message field that <see cref="Begin"/> opened.</summary>
    public void End(int mark)
    {
        var size = _length - mark;
        var extra = VarintSize((ulong)size) - 1;
        if (extra > 0)
        {
            Ensure(extra);
            _buffer.AsSpan(mark, size).CopyTo(_buffer.AsSpan(mark + extra));
        }

        _length = mark - 1;
        Varint((ulong)size);
        _length += size;
    }

    /// <summary>Bytes that are already in wire form.</summary>
    public void Raw(ReadOnlySpan<byte> encoded)
    {
        Ensure(encoded.Length);
        encoded.CopyTo(_buffer.AsSpan(_length));
        _length += encoded.Length;
    }

    /// <summary>A fixed32 field, written even when 0.</summary>
    public void Fixed32(int field, uint value)
    {
        Varint((ulong)(uint)(field << 3 | 5));
        Ensure(4);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_length), value);
        _length += 4;
    }

    private static int VarintSize(ulong value) => (BitOperations.Log2(value | 1) + 7) / 7;

    private void Varint(ulong value)
    {
        Ensure(10);
        while (value >= 0x80)
        {
            _buffer[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[_length++] = (byte)value;
    }

    private void Ensure(int more)
    {
        if (_buffer.Length - _length >= more) return;
        Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + more));
    }
}

/// <summary>
/// Reads the Protobuf wire format. Bytes come as slices of the buffer, not as copies. A malformed buffer throws
/// <see cref="FormatException"/>; fields that the caller does not know are skipped with <see cref="Skip"/>.
/// </summary>
public ref struct WireReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ReadOnlySpan<byte> _span;
    private int _position;
    private int _wireType;

    /// <summary>Reads <paramref name="memory"/> from its begin to its end.</summary>
    public WireReader(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _span = memory.Span;
        _position = 0;
        _wireType = 0;
    }

    /// <summary>The number of the next field, or 0 at the end.</summary>
    public int Next()
    {
        if (_position == _span.Length) return 0;
        var tag = Varint();
        _wireType = (int)(tag & 7);
        var field = tag >> 3;
        return field is > 0 and < 1 << 29 ? (int)field : throw Malformed("field number");
    }

    /// <summary>The value of an integer field.</summary>
    public long Int()
    {
        if (_wireType != 0) throw Malformed("integer");
        return (long)Varint();
    }

    /// <summary>The value of an integer field that must fit 32 bits.</summary>
    public int Int32()
    {
        var value = Int();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Malformed("32-bit integer");
    }

    /// <summary>The value of a bool field.</summary>
    public bool Bool() => Int() != 0;

    /// <summary>The value of a bytes or message field: a slice of the buffer.</summary>
    public ReadOnlyMemory<byte> Bytes()
    {
        if (_wireType != 2) throw Malformed("bytes");
        var length = Varint();
        if (length > (ulong)(_span.Length - _position)) throw Malformed("length");
        var slice = _memory.Slice(_position, (int)length);
        _position += (int)length;
        return slice;
    }

    /// <summary>The value of a string field, which must be valid UTF-8.</summary>
    public string String()
    {
        try
        {
            return StrictUtf8.GetString(Bytes().Span);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("UTF-8");
        }
    }

    /// <summary>The value of an id field.</summary>
    public Guid Id() => Bytes() is { Length: 16 } bytes ? new Guid(bytes.Span, bigEndian: true) : throw Malformed("id");

    /// <summary>The value of a fixed32 field.</summary>
    public uint Fixed32()
    {
        if (_wireType != 5 || _span.Length - _position < 4) throw Malformed("fixed32");
        var value = BinaryPrimitives.ReadUInt32LittleEndian(_span[_position..]);
        _position += 4;
        return value;
    }

    /// <summary>Passes over the value of a field that the caller does not know.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case 0: Varint(); break;
            case 1: Advance(8); break;
            case 2: Bytes(); break;
            case 5: Advance(4); break;
            default: throw Malformed("wire type");
        }
    }

    private static FormatException Malformed(string what) => new($"The message is malformed: bad {what}.");

    private void Advance(int count)
    {
        if (_span.Length - _position < count) throw Malformed("length");
        _position += count;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position == _span.Length) throw Malformed("varint");
            var b = _span[_position++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }

        throw Malformed("varint");
    }
}
