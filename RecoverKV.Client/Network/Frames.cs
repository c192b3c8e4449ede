using System.Buffers.Binary;

namespace RecoverKV.Client.Network;

/// <summary>A frame is a length of four bytes, little-endian, and so many bytes: what Akka's own TCP transport sends.
/// </summary>
internal static class Frame
{
    internal const int Header = 4;
}

/// <summary>Finds the frames in a stream of bytes that come in pieces. Its memory follows what has come, not what a header
/// announces. Not thread-safe.</summary>
internal sealed class FrameReader(int longest)
{
    /// <summary>How many bytes a frame may have; may be changed between two frames.</summary>
    internal int Longest { get; set; } = longest;

    /// <summary>Whether a frame has begun to come and is not there completely.</summary>
    internal bool IsAmidFrame => _end > _start;

    private const int Smallest = 4 * 1024;
    private const int Kept = 256 * 1024;
    private byte[] _buffer = new byte[Smallest];
    private int _start;
    private int _end;

    /// <summary>Where the next bytes go; never empty.</summary>
    internal Memory<byte> Room()
    {
        var length = _end - _start;
        var old = _buffer;
        // What has filled the room is probably not all that waits.
        if (length == old.Length || _end == old.Length && old.Length < Kept) _buffer = new byte[2 * old.Length];
        else if (length == 0 && old.Length > Kept) _buffer = new byte[Smallest];
        old.AsSpan(_start, length).CopyTo(_buffer);
        (_start, _end) = (0, length);
        return _buffer.AsMemory(_end);
    }

    /// <summary>So many bytes came there.</summary>
    internal void Received(int bytes) => _end += bytes;

    /// <summary>The next frame that is there completely, as an array of its own.</summary>
    /// <exception cref="InvalidDataException">No frame is as long as its header says.</exception>
    internal bool TryRead(out byte[] frame)
    {
        frame = [];
        var came = _buffer.AsSpan(_start, _end - _start);
        if (came.Length < Frame.Header) return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(came);
        if (length < 0 || length > Longest) throw new InvalidDataException($"A frame of {length} bytes was announced.");
        if (came.Length - Frame.Header < length) return false;
        frame = came.Slice(Frame.Header, length).ToArray();
        _start += Frame.Header + length;
        return true;
    }
}

/// <summary>Gathers frames until they are sent, all at once. Not thread-safe.</summary>
/// <param name="most">More bytes than that do not wait.</param>
internal sealed class FrameWriter(int most)
{
    private const int Kept = 1024 * 1024;
    private byte[] _waiting = [];
    private byte[] _leaving = [];
    private int _length;

    /// <summary>Adds a frame, unless too much waits already.</summary>
    internal bool TryAdd(ReadOnlySpan<byte> payload)
    {
        var needed = (long)_length + Frame.Header + payload.Length;
        if (needed > most) return false;
        if (needed > _waiting.Length) Array.Resize(ref _waiting, (int)Math.Min(most, Math.Max(needed, 2L * _waiting.Length)));
        BinaryPrimitives.WriteInt32LittleEndian(_waiting.AsSpan(_length), payload.Length);
        payload.CopyTo(_waiting.AsSpan(_length + Frame.Header));
        _length = (int)needed;
        return true;
    }

    /// <summary>Takes all that waits; it stays as it is until the next call.</summary>
    internal bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        (_waiting, _leaving) = (_leaving, _waiting);
        bytes = _leaving.AsMemory(0, _length);
        _length = 0;
        if (_waiting.Length > Kept) _waiting = [];
        return bytes.Length > 0;
    }
}
