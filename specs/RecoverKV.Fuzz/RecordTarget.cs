using System.Buffers;
using System.Text;
using RecoverKV.Host.Records;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>What <c>load</c> reads. No input is refused as a whole, all of it is read, and what was read can be
/// written.
/// </summary>
internal static class RecordTarget
{
    private const int LongestRecord = 64 * 1024;

    public static Target Make(RecordFormat format) => new(
        $"records ({format.Name})", random => Valid(format, random), bytes => Decode(format, bytes), _ => false)
    {
        Words =
        [
            .. new[]
            {
                "\"", "\"\"", ",", "\t", "\r\n", "\n", "{", "}", "\\u", "\\ud800", "\"key\":", "\"keyBase64\":\"", "["
            }.Select(Encoding.UTF8.GetBytes),
            [0xEF, 0xBB, 0xBF], [0xFF]
        ],
        // A line of one byte is an error of its own, with its text; the reader's first buffer.
        Fixed = 512 * 1024,
        PerByte = 1024,
    };

    private static byte[] Valid(RecordFormat format, Prng random)
    {
        var output = new ArrayBufferWriter<byte>();
        for (var i = random.Below(5); i >= 0; i--)
        {
            var value = random.OneOf("", "b", "a,b", "say \"hi\"", "Ä✓", "two\r\nlines", "\ttab");
            format.Write(Encoding.UTF8.GetBytes($"key{i}"), Encoding.UTF8.GetBytes(value), output);
        }

        return output.WrittenSpan.ToArray();
    }

    private static void Decode(RecordFormat format, byte[] bytes)
    {
        using var input = new Pieces(bytes);
        var reader = new RecordReader(input, format, LongestRecord);
        var output = new ArrayBufferWriter<byte>(1024);
        foreach (var item in reader.ReadAsync(CancellationToken.None).ToBlockingEnumerable())
        {
            if (item.Error is not null) continue;
            output.ResetWrittenCount();
            if (format.Write(item.Record.Key, item.Record.Value, output) is { } error)
                throw new InvalidDataException(error);
            if (format.Parse(output.WrittenSpan, out var again) is { } wrong) throw new InvalidDataException(wrong);
            if (!again.Key.AsSpan().SequenceEqual(item.Record.Key)
                || !again.Value.AsSpan().SequenceEqual(item.Record.Value))
                throw new InvalidDataException($"The record of line {item.Line} was written as another one.");
        }

        if (reader.Position != bytes.Length)
            throw new InvalidDataException($"{reader.Position} of {bytes.Length} bytes were read.");
    }

    /// <summary>Gives some bytes at a time, as a pipe does.</summary>
    private sealed class Pieces(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        private readonly Prng _random = new((ulong)bytes.Length);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(
                Read(buffer.Span[..Math.Min(buffer.Length, 1 + _random.Below(_random.OneOf(100, 100_000)))]));
    }
}
