using System.Runtime.CompilerServices;

namespace RecoverKV.Host.Records;

/// <summary>Reads the records of an input of any length, one after the other. Used by one caller at a time;
/// <see cref="Position"/> may be read by others.</summary>
internal sealed class RecordReader(Stream input, RecordFormat format, int maxRecordBytes = 16 * 1024 * 1024)
{
    private byte[] _buffer = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _last;
    private long _line = 1;
    private long _position;

    /// <summary>U+FEFF in UTF-8.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>How many bytes of the input have been taken.</summary>
    public long Position => Interlocked.Read(ref _position);

    private ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Every record, the bad ones too.</summary>
    public async IAsyncEnumerable<InputRecord> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        while (_end < ByteOrderMark.Length && !_last) await FillAsync(cancellation);
        if (format.AllowsByteOrderMark && Unread.StartsWith(ByteOrderMark)) Advance(ByteOrderMark.Length);
        while (true)
        {
            if (TryTake(out var record))
            {
                yield return record;
            }
            else if (_last)
            {
                yield break;
            }
            else if (_end - _start >= maxRecordBytes)
            {
                yield return await TakeOversizedAsync(cancellation);
            }
            else
            {
                await FillAsync(cancellation);
            }
        }
    }

    private bool TryTake(out InputRecord taken)
    {
        taken = default;
        if (Unread.IsEmpty) return false;
        var length = format.Frame(Unread, _last);
        if (length < 0) return false;
        taken = Take(length);
        return true;
    }

    private InputRecord Take(int length)
    {
        var frame = Unread[..length];
        var error = format.Parse(frame, out var record);
        var taken = new InputRecord(_line, record, error);
        Advance(length);
        return taken;
    }

    /// <summary>Skips the rest of a line that is too long to hold; the next line is read afresh.</summary>
    private async Task<InputRecord> TakeOversizedAsync(CancellationToken cancellation)
    {
        var length = format.Frame(Unread, last: true);
        if (_buffer[_start + length - 1] == '\n') return Take(length);
        var line = _line;
        int newline;
        while ((newline = Unread.IndexOf((byte)'\n')) < 0 && !_last)
        {
            Advance(_end - _start);
            await FillAsync(cancellation);
        }

        Advance(newline < 0 ? _end - _start : newline + 1);
        return new InputRecord(line, default, $"longer than {maxRecordBytes} bytes");
    }

    private void Advance(int count)
    {
        _line += Unread[..count].Count((byte)'\n');
        _start += count;
        Interlocked.Add(ref _position, count);
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await input.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _last = read == 0;
        _end += read;
    }
}
