using System.Buffers;

namespace RecoverKV.Host.Records;

/// <summary>
/// RFC 4180 with two fields, no heading line. A field with a comma, a quote, a CR or an LF stands in quotes, with
/// quotes doubled. Bytes that are no UTF-8 pass as they are. Lines end with LF or CR LF.
/// </summary>
internal sealed class CsvFormat : RecordFormat
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\r\n"u8);

    /// <inheritdoc/>
    public override string Name => "csv";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Extensions => [".csv"];

    /// <inheritdoc/>
    public override bool AllowsByteOrderMark => true;

    /// <inheritdoc/>
    public override int Frame(ReadOnlySpan<byte> data, bool last)
    {
        var at = 0;
        while (true)
        {
            if (at < data.Length && data[at] == '"')
            {
                var close = ClosingQuote(data, at);
                // A quote that never closes spoils its line only: the next line is read afresh.
                if (close < 0) return last ? base.Frame(data, last) : -1;
                at = close + 1;
            }

            var end = data[at..].IndexOfAny((byte)',', (byte)'\n');
            if (end < 0) return last ? data.Length : -1;
            at += end + 1;
            if (data[at - 1] == '\n') return at;
        }
    }

    /// <inheritdoc/>
    public override string? Parse(ReadOnlySpan<byte> frame, out Record record)
    {
        record = default;
        var rest = Content(frame);
        if (rest is [.. var content, (byte)'\r']) rest = content;
        if (rest.IsEmpty) return "the line is empty";
        if (Field(ref rest, out var key, out var more) is { } keyError) return keyError;
        if (!more) return "one field, where a key and a value are wanted";
        if (Field(ref rest, out var value, out more) is { } valueError) return valueError;
        return more ? "more than two fields" : Make(key, value, out record);
    }

    /// <inheritdoc/>
    public override string? Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        WriteField(key, output);
        output.Write(","u8);
        WriteField(value, output);
        output.Write("\n"u8);
        return null;
    }

    private static string? Field(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> field, out bool more)
    {
        field = default;
        more = false;
        var quoted = rest is [(byte)'"', ..];
        int end;
        if (quoted)
        {
            var close = ClosingQuote(rest, 0);
            if (close < 0) return "a quote is not closed";
            field = Unescape(rest[1..close]);
            end = close + 1;
            if (end < rest.Length && rest[end] != ',') return "text after a closing quote";
        }
        else
        {
            end = rest.IndexOf((byte)',');
            if (end < 0) end = rest.Length;
            field = rest[..end];
            if (field.Contains((byte)'"')) return "a quote inside a field that is not quoted";
        }

        more = end < rest.Length;
        rest = more ? rest[(end + 1)..] : default;
        return null;
    }

    private static int ClosingQuote(ReadOnlySpan<byte> data, int open)
    {
        var at = open + 1;
        while (true)
        {
            var quote = data[at..].IndexOf((byte)'"');
            if (quote < 0) return -1;
            at += quote;
            if (at + 1 >= data.Length || data[at + 1] != '"') return at;
            at += 2;
        }
    }

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> field)
    {
        if (!field.Contains((byte)'"')) return field;
        var plain = new byte[field.Length];
        var length = 0;
        for (var i = 0; i < field.Length; i++)
        {
            plain[length++] = field[i];
            if (field[i] == '"') i++;
        }

        return plain.AsSpan(0, length);
    }

    private static void WriteField(ReadOnlySpan<byte> field, IBufferWriter<byte> output)
    {
        // A byte order mark at the start of the file would be taken for none of the data.
        if (!field.ContainsAny(Special) && !field.StartsWith(RecordReader.ByteOrderMark))
        {
            output.Write(field);
            return;
        }

        output.Write("\""u8);
        while (field.IndexOf((byte)'"') is >= 0 and var quote)
        {
            output.Write(field[..(quote + 1)]);
            output.Write("\""u8);
            field = field[(quote + 1)..];
        }

        output.Write(field);
        output.Write("\""u8);
    }
}
