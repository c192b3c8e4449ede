using System.Buffers.Binary;

namespace RecoverKV.Actors.State;

/// <summary>Where a record is in <see cref="RecordMemory"/>.</summary>
internal readonly record struct RecordAddress(int Segment, int Offset);

/// <summary>
/// Log-structured memory (Rumble, Kejriwal, Ousterhout: Log-structured Memory for DRAM-based Storage, FAST 2014):
/// records, each a key with its value, one behind the other in large segments. To the garbage collector millions of
/// records are a few hundred objects without references, so that its pauses do not grow with them; and a record takes
/// its bytes, a header of thirteen, and some for its <see cref="RecordFields"/>. Keys and values never change where
/// they are: readers keep slices of them as long as they like. Not thread-safe.
/// </summary>
/// <remarks>Invariant: removed records take at most as many bytes as the others, apart from a few segments. Beyond
/// that, what is left in the emptiest segment moves to the end: so no byte is copied without another one being
/// freed.</remarks>
/// <param name="moved">Told which slot's record is where from now on.</param>
internal sealed class RecordMemory(Action<int, RecordAddress> moved)
{
    private const int FirstSegmentSize = 4 * 1024;
    private const int SegmentSize = 256 * 1024;

    // A record: its slot or -1 once it is removed, the lengths of the key, of the value and of its fields; the key, the
    // value, the fields.
    private const int KeyLengthAt = 4, ValueLengthAt = 8, FieldsLengthAt = 12;

    /// <summary>What a record takes beside its key, value and fields.</summary>
    internal const int Header = 13;

    private const int Removed = -1;
    private readonly List<Segment?> _segments = [];
    private readonly Stack<int> _freeSegments = new();
    private int _last = -1;

    private sealed class Segment(int size)
    {
        // Every byte that is read was written before.
        public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(size);
        public int Used { get; set; }
        public int Live { get; set; }
    }

    /// <summary>What the records take.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>What the records and those that were removed but not cleaned away take.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The key of a record.</summary>
    public ReadOnlyMemory<byte> Key(RecordAddress address)
    {
        var bytes = _segments[address.Segment]!.Bytes;
        return bytes.AsMemory(address.Offset + Header, KeyLength(bytes, address.Offset));
    }

    /// <summary>The value of a record.</summary>
    public ReadOnlyMemory<byte> Value(RecordAddress address)
    {
        var bytes = _segments[address.Segment]!.Bytes;
        var keyLength = KeyLength(bytes, address.Offset);
        return bytes.AsMemory(address.Offset + Header + keyLength, ValueLength(bytes, address.Offset));
    }

    /// <summary>The fields of a record.</summary>
    public RecordFields Fields(RecordAddress address)
    {
        var bytes = _segments[address.Segment]!.Bytes;
        var at = address.Offset + Header + KeyLength(bytes, address.Offset) + ValueLength(bytes, address.Offset);
        return RecordFields.Read(bytes.AsSpan(at));
    }

    /// <summary>Adds a record, which has a slot by which its owner knows it.</summary>
    public RecordAddress Add(int slot, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, RecordFields fields)
    {
        Span<byte> written = stackalloc byte[RecordFields.MostBytes];
        var fieldsLength = fields.Write(written);
        var length = Header + key.Length + value.Length + fieldsLength;
        var segment = SegmentFor(length, out var number);
        var offset = segment.Used;
        var record = segment.Bytes.AsSpan(offset, length);
        BinaryPrimitives.WriteInt32LittleEndian(record, slot);
        BinaryPrimitives.WriteInt32LittleEndian(record[KeyLengthAt..], key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[ValueLengthAt..], value.Length);
        key.CopyTo(record[Header..]);
        record[FieldsLengthAt] = (byte)fieldsLength;
        value.CopyTo(record[(Header + key.Length)..]);
        written[..fieldsLength].CopyTo(record[(length - fieldsLength)..]);
        segment.Used += length;
        segment.Live += length;
        UsedBytes += length;
        LiveBytes += length;
        return new RecordAddress(number, offset);
    }

    /// <summary>Removes a record. Slices of it stay as they are.</summary>
    public void Remove(RecordAddress address)
    {
        Release(address);
        if (UsedBytes - LiveBytes > LiveBytes + 2 * SegmentSize) Clean();
    }

    private void Release(RecordAddress address)
    {
        var segment = _segments[address.Segment]!;
        var length = RecordLength(segment.Bytes, address.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(segment.Bytes.AsSpan(address.Offset), Removed);
        segment.Live -= length;
        LiveBytes -= length;
        if (segment.Live == 0 && address.Segment != _last) Drop(address.Segment);
    }

    private void Drop(int number)
    {
        UsedBytes -= _segments[number]!.Used;
        _segments[number] = null;
        _freeSegments.Push(number);
    }

    private Segment SegmentFor(int length, out int number)
    {
        if (_last >= 0 && _segments[_last] is { } last && last.Bytes.Length - last.Used >= length)
        {
            number = _last;
            return last;
        }

        var size = (int)Math.Clamp(UsedBytes, FirstSegmentSize, SegmentSize);
        // A large record has a segment of its own: it would leave too much room at the end of another one.
        var alone = length > size / 4;
        var segment = new Segment(alone ? length : size);
        if (_freeSegments.TryPop(out number))
        {
            _segments[number] = segment;
        }
        else
        {
            number = _segments.Count;
            _segments.Add(segment);
        }

        if (alone) return segment;
        var before = _last;
        _last = number;
        // What was removed to the last record while it was the last segment.
        if (before >= 0 && _segments[before]!.Live == 0) Drop(before);
        return segment;
    }

    private void Clean()
    {
        var (emptiest, most) = (-1, 0);
        for (var i = 0; i < _segments.Count; i++)
        {
            if (i == _last || _segments[i] is not { } segment || segment.Used - segment.Live <= most) continue;
            (emptiest, most) = (i, segment.Used - segment.Live);
        }

        if (emptiest < 0) return;
        var (bytes, used) = (_segments[emptiest]!.Bytes, _segments[emptiest]!.Used);
        for (int offset = 0, length; offset < used; offset += length)
        {
            length = RecordLength(bytes, offset);
            var slot = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset));
            if (slot == Removed) continue;
            var address = new RecordAddress(emptiest, offset);
            moved(slot, Add(slot, Key(address).Span, Value(address).Span, Fields(address)));
            Release(address);
        }
    }

    private static int KeyLength(byte[] bytes, int offset) =>
        BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + KeyLengthAt));

    private static int ValueLength(byte[] bytes, int offset) =>
        BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + ValueLengthAt));

    private static int RecordLength(byte[] bytes, int offset) =>
        Header + KeyLength(bytes, offset) + ValueLength(bytes, offset) + bytes[offset + FieldsLengthAt];
}
