using System.Buffers.Binary;

namespace RecoverKV.Client.Network;

/// <summary>A frame is a length of four bytes, little-endian, and so many bytes: what Akka's own TCP transport sends.
/// </summary>
internal static class Frame
{
    internal const int Header = 4;
}

/// <summary>Finds the frames in a stream of bytes that come in pieces. Its memory follows what has come, not what a
/// header announces. Not thread-safe.</summary>
/// <param name="longest">How many bytes a frame may have.</param>
/// <param name="budget">What large frames that are not there completely may take of it together; null: no bound but the
/// longest frame.</param>
internal sealed class FrameReader(int longest, ByteBudget? budget = null) : IDisposable
{
    private ByteBudget? _budget = budget;

    /// <summary>How many bytes a frame may have; may be changed between two frames.</summary>
    internal int Longest { get; set; } = longest;

    /// <summary>Whether a frame has begun to come and is not there completely.</summary>
    internal bool IsAmidFrame => AmidFrameSince > 0;

    /// <summary>Since when one has, in milliseconds; 0: none has. May be read by any thread.</summary>
    internal long AmidFrameSince => Volatile.Read(ref _since);

    private const int Smallest = 4 * 1024;
    private const int Kept = 256 * 1024;
    private byte[] _buffer = new byte[Smallest];
    private int _start;
    private int _end;
    private int _taken;
    private long _since;

    /// <summary>Lets go of its memory, and gives back what it takes of the budget.</summary>
    public void Dispose()
    {
        Settle(0);
        _buffer = new byte[1];
        (_start, _end) = (0, 0);
        Volatile.Write(ref _since, 0);
    }

    /// <summary>Where the next bytes go; never empty.</summary>
    /// <exception cref="InvalidDataException">Too many frames are only half there.</exception>
    internal Memory<byte> Room()
    {
        var length = _end - _start;
        var old = _buffer;
        var size = old.Length;
        // What has filled the room is probably not all that waits; but no frame needs more than the longest.
        if (length == size || _end == size && size < Kept)
            size = (int)Math.Max(size + 1, Math.Min(2L * size, Longest + Kept));
        else if (length == 0 && size > Kept) size = Smallest;
        if (size != old.Length)
        {
            Settle(size > Kept ? size : 0);
            _buffer = new byte[size];
        }

        old.AsSpan(_start, length).CopyTo(_buffer);
        (_start, _end) = (0, length);
        return _buffer.AsMemory(_end);
    }

    /// <summary>From now on it reads what another node sends, which is nobody's to bound but by the frame.</summary>
    internal void Trust(int frame)
    {
        Settle(0);
        (_budget, Longest) = (null, frame);
    }

    private void Settle(int bytes)
    {
        if (_budget is null) return;
        if (bytes > _taken && !_budget.TryTake(bytes - _taken))
            throw new InvalidDataException("Too many frames are only half there.");
        if (bytes < _taken) _budget.Return(_taken - bytes);
        _taken = bytes;
    }

    /// <summary>So many bytes came there.</summary>
    internal void Received(int bytes)
    {
        _end += bytes;
        if (_since == 0) Volatile.Write(ref _since, Environment.TickCount64);
    }

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
        // What follows is the next one.
        Volatile.Write(ref _since, _end > _start ? Environment.TickCount64 : 0);
        return true;
    }
}

/// <summary>Gathers frames until they are sent, all at once. Not thread-safe.</summary>
/// <param name="most">More bytes than that do not wait.</param>
internal sealed class FrameWriter(int most)
{
    private const int Kept = 1024 * 1024;
    private const int Large = 64 * 1024;
    private byte[] _waiting = [];
    private byte[] _leaving = [];
    private int _length;

    // What goes before the rest: large frames are not copied.
    private readonly Queue<ReadOnlyMemory<byte>> _parts = new();
    private long _partBytes;

    /// <summary>How many bytes wait.</summary>
    internal long Length => _partBytes + _length;

    /// <summary>Adds a frame, which is both parts, unless too much waits already. The body belongs to the writer from
    /// now on: a large one is not copied.</summary>
    internal bool TryAdd(ReadOnlySpan<byte> head, ReadOnlyMemory<byte> body = default)
    {
        var length = head.Length + body.Length;
        if (Length + Frame.Header + length > most) return false;
        if (body.Length < Large)
        {
            Gather(length, head, body.Span);
            return true;
        }

        Gather(length, head, default);
        _parts.Enqueue(_waiting.AsSpan(0, _length).ToArray());
        _parts.Enqueue(body);
        _partBytes += _length + body.Length;
        _length = 0;
        return true;
    }

    private void Gather(int length, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        var needed = (long)_length + Frame.Header + head.Length + body.Length;
        if (needed > _waiting.Length)
            Array.Resize(ref _waiting, (int)Math.Min(most, Math.Max(needed, 2L * _waiting.Length)));
        BinaryPrimitives.WriteInt32LittleEndian(_waiting.AsSpan(_length), length);
        head.CopyTo(_waiting.AsSpan(_length + Frame.Header));
        body.CopyTo(_waiting.AsSpan(_length + Frame.Header + head.Length));
        _length = (int)needed;
    }

    /// <summary>Lets go of what waits, and of its memory.</summary>
    internal void Clear()
    {
        _parts.Clear();
        _partBytes = 0;
        (_waiting, _leaving) = ([], []);
        _length = 0;
    }

    /// <summary>Takes what is to be sent next; it stays as it is until the next call.</summary>
    internal bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        if (_parts.TryDequeue(out bytes))
        {
            _partBytes -= bytes.Length;
            return true;
        }

        (_waiting, _leaving) = (_leaving, _waiting);
        bytes = _leaving.AsMemory(0, _length);
        _length = 0;
        if (_waiting.Length > Kept) _waiting = [];
        return bytes.Length > 0;
    }
}
