using System.Buffers;
using System.Text;
using CsCheck;
using RecoverKV.Host.Records;

namespace RecoverKV.Specs.Host;

public sealed class RecordFormatSpec
{
    private static readonly byte[] AwkwardBytes = [.. "\t\n\r\",\\{\0"u8, 0xEF, 0xBB, 0xBF, 0xFF, 0xC3, 0xA9];

    private static readonly Gen<(byte[] Key, byte[] Value)[]> AnyRecords =
        Gen.Select(Field.Where(f => f.Length > 0), Field).Array[0, 20];

    /// <summary>Bytes that formats trip over, more often than chance would bring them.</summary>
    private static Gen<byte[]> Field =>
        Gen.Int[0, AwkwardBytes.Length * 2].Select(Gen.Byte)
            .Select((i, b) => i < AwkwardBytes.Length ? AwkwardBytes[i] : b).Array[0, 12];

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public void Csv_and_ndjson_give_back_any_bytes(string name) =>
        AnyRecords.Sample(
            records => Assert.Equal(Show(records), Show(RoundTrip(RecordFormat.Choose(name, null), records))),
            iter: 2000);

    [Fact]
    public void Tsv_gives_back_whatever_it_does_not_refuse() =>
        AnyRecords.Sample(
            records =>
            {
                var holdable = records.Where(
                    r => !r.Key.AsSpan().ContainsAny("\t\n"u8) && !r.Value.Contains((byte)'\n'));
                Assert.Equal(Show(holdable), Show(RoundTrip(RecordFormat.Choose("tsv", null), records)));
            },
            iter: 2000);

    [Theory]
    [InlineData("/usr/lib/system-systemd\\x2dcryptsetup.slice\t12 2024-01-01 -rw-r--r--")]
    [InlineData("a \"quoted\", (odd) 'name'\tvalue\twith\ttabs")]
    [InlineData("clé\t値 \\t \\n")]
    [InlineData("ends with CR\tvalue\r")]
    [InlineData("empty\t")]
    public void A_line_of_tsv_comes_back_byte_for_byte(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        var record = Assert.Single(Read("tsv", bytes));
        Assert.Null(record.Error);
        var output = new ArrayBufferWriter<byte>();
        Assert.Null(RecordFormat.Choose("tsv", null).Write(record.Record.Key, record.Record.Value, output));
        Assert.Equal(bytes, output.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData("tsv", "a\t1\nbad\n\n\tno key\nb\t2", "1 a=1|2 !|3 !|4 !|5 b=2")]
    [InlineData(
        "csv", "a,1\r\nb\nc,1,2\n\"d\nd\",\"2 \"\"q\"\"\"\ne,\"x\"y\nf,g\"h\n,i\n\nj,",
        "1 a=1|2 !|3 !|4 d\nd=2 \"q\"|6 !|7 !|8 !|9 !|10 j=")]
    [InlineData("csv", "a,\"never closed\nb,2\nc,3\n", "1 !|2 b=2|3 c=3")]
    [InlineData("csv", "\uFEFFa,1\n", "1 a=1")]
    [InlineData(
        "ndjson", "{\"key\":\"a\",\"value\":\"1\"}\nnonsense\n{\"key\":\"b\"}\n{\"value\":\"b\"}\n[]\n",
        "1 a=1|2 !|3 !|4 !|5 !")]
    [InlineData(
        "ndjson", "{\"key\":\"\",\"value\":\"1\"}\n{\"key\":\"a\",\"value\":1}\n{\"key\":\"a\",\"value\":\"1\"} x\n\n",
        "1 !|2 !|3 !|4 !")]
    [InlineData(
        "ndjson",
        "{\"key\":\"a\",\"keyBase64\":\"YQ==\",\"value\":\"\"}\n{\"keyBase64\":\"YQ==\",\"value\":\"\",\"n\":[{}]}\n",
        "1 !|2 a=")]
    [InlineData(
        "ndjson",
        "{\"keyBase64\":\"%\",\"value\":\"\"}\n{\"key\":\"\\ud800\",\"value\":\"\"}\n"
        + "{\"key\":\"\\n\\u00e9\",\"value\":\"\"}",
        "1 !|2 !|3 \né=")]
    [InlineData("tsv", "", "")]
    public void Bad_lines_are_found_and_the_others_read(string format, string input, string expected)
    {
        var read = Read(format, Encoding.UTF8.GetBytes(input)).Select(r => r.Error is null
            ? $"{r.Line} {Encoding.UTF8.GetString(r.Record.Key)}={Encoding.UTF8.GetString(r.Record.Value)}"
            : $"{r.Line} !");
        Assert.Equal(expected, string.Join('|', read));
    }

    [Fact]
    public void Bytes_that_are_no_utf8_pass_through_tsv()
    {
        byte[] line = [0xFF, 0xFE, (byte)'\t', 0x00, 0x80, (byte)'\n'];
        var record = Assert.Single(Read("tsv", line)).Record;
        Assert.Equal([0xFF, 0xFE], record.Key);
        Assert.Equal([0x00, 0x80], record.Value);
    }

    [Theory]
    [InlineData("tsv")]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public void A_line_too_long_to_hold_is_passed_over(string format)
    {
        var good = format switch { "tsv" => "a\t1\n", "csv" => "a,1\n", _ => "{\"key\":\"a\",\"value\":\"1\"}\n" };
        var input = good + "\"" + new string('x', 500_000) + "\n" + good;
        var read = Read(format, Encoding.UTF8.GetBytes(input), maxRecordBytes: 1000);
        Assert.Equal([(1, true), (2, false), (3, true)], read.Select(r => (r.Line, r.Error is null)));
    }

    [Theory]
    [InlineData(null, "x.csv", "csv")]
    [InlineData(null, "x.JSONL", "ndjson")]
    [InlineData(null, "x.bin", "tsv")]
    [InlineData(null, "-", "tsv")]
    [InlineData("ndjson", "x.csv", "ndjson")]
    public void The_format_is_as_named_or_as_the_extension_says(string? name, string file, string expected) =>
        Assert.Equal(expected, RecordFormat.Choose(name, file).Name);

    private static List<(byte[] Key, byte[] Value)> RoundTrip(
        RecordFormat format, IEnumerable<(byte[] Key, byte[] Value)> records)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (var (key, value) in records) format.Write(key, value, output);
        var read = Read(format.Name, output.WrittenSpan.ToArray());
        Assert.All(read, r => Assert.Null(r.Error));
        return [.. read.Select(r => (r.Record.Key, r.Record.Value))];
    }

    private static List<InputRecord> Read(string format, byte[] input, int maxRecordBytes = 1024 * 1024)
    {
        // Pieces of three bytes: every record is cut somewhere.
        using var stream = new SlowStream(input, 3);
        var reader = new RecordReader(stream, RecordFormat.Choose(format, null), maxRecordBytes);
        var records = reader.ReadAsync(CancellationToken.None).ToBlockingEnumerable().ToList();
        Assert.Equal(input.Length, reader.Position);
        return records;
    }

    private static string Show(IEnumerable<(byte[] Key, byte[] Value)> records) =>
        string.Join(' ', records.Select(r => $"{Convert.ToHexString(r.Key)}={Convert.ToHexString(r.Value)}"));

    private sealed class SlowStream(byte[] data, int piece) : MemoryStream(data)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, Length > 10_000 ? 4096 : piece)], cancellationToken);
    }
}
