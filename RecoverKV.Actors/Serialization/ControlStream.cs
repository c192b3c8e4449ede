using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// The bytes of one control message, as Hyperion may read them. Hyperion takes every length at its word, before it
/// looks for the bytes, takes what is missing at the end for zeros, and goes as deep as the bytes lead it; so this
/// stream ends the reading with a <see cref="FormatException"/> as soon as it would.
/// </summary>
/// <remarks>
/// No message has a field of 32 bits, so four bytes that are read at once are a length, of an array, a long text or a
/// name, unless they are a text: its length is in the byte before. Each item takes a byte at least and none belongs to
/// two lengths (no array is in an array's item), so all lengths together are no more than the message. Not thread-safe.
/// </remarks>
internal sealed class ControlStream(ReadOnlyMemory<byte> message) : Stream
{
    /// <summary>Bytes of the thread's stack; a view in a message takes 4.5 KiB. Hyperion catches and throws again at
    /// each level, on top of the stack that it has, with a longer text each time.</summary>
    private const int DeepestStack = 16 * 1024;

    private readonly nint _top = Stack();
    private int _position;
    private long _announced;
    private int _lastByte = -1, _byteBefore = -1;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => message.Length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        CheckDepth();
        if (buffer.Length > message.Length - _position) throw new FormatException("it is cut off");
        message.Span.Slice(_position, buffer.Length).CopyTo(buffer);
        _position += buffer.Length;
        if (buffer.Length == sizeof(int) && !IsText) Announced(BinaryPrimitives.ReadInt32LittleEndian(buffer));
        (_byteBefore, _lastByte) = (-1, -1);
        return buffer.Length;
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        CheckDepth();
        if (_position == message.Length) throw new FormatException("it is cut off");
        (_byteBefore, _lastByte) = (_lastByte, message.Span[_position++]);
        return _lastByte;
    }

    /// <summary>Whether four bytes are a text: it begins with a byte of its length and one more. The same byte after
    /// that of an array says that its items are times, and a length follows.</summary>
    private bool IsText => _lastByte == 1 + sizeof(int) && _byteBefore != 252;

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Stacks grow towards lower addresses. Nobody but the stack itself tells how deep Hyperion is.</summary>
    private void CheckDepth()
    {
        if (_top - Stack() > DeepestStack) throw new FormatException("it is nested too deep");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint Stack()
    {
        byte here = 0;
        return Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref here);
    }

    private void Announced(int length)
    {
        _announced += length;
        if (length < 0 || _announced > message.Length)
            throw new FormatException($"a length of {length} does not fit into it");
    }
}
