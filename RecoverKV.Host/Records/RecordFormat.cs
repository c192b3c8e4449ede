using System.Buffers;

namespace RecoverKV.Host.Records;

/// <summary>A text format for keys and values. Stateless; works on bytes, so that nothing is lost in decoding.
/// </summary>
internal abstract class RecordFormat
{
    /// <summary>All formats.</summary>
    public static readonly IReadOnlyList<RecordFormat> All = [new TsvFormat(), new CsvFormat(), new NdjsonFormat()];

    /// <summary>The name that <c>--format</c> takes.</summary>
    public abstract string Name { get; }

    /// <summary>File name extensions that stand for it.</summary>
    public abstract IReadOnlyList<string> Extensions { get; }

    /// <summary>Whether a UTF-8 byte order mark may stand at the start of an input, and is no part of the data.
    /// </summary>
    public abstract bool AllowsByteOrderMark { get; }

    /// <summary>The length of the first record of <paramref name="data"/> with its line end; -1 if more data is
    /// needed to know.</summary>
    /// <param name="data">Input from the start of a record; not empty.</param>
    /// <param name="last">No more data will come.</param>
    public virtual int Frame(ReadOnlySpan<byte> data, bool last) =>
        data.IndexOf((byte)'\n') is >= 0 and var end ? end + 1 : last ? data.Length : -1;

    /// <summary>Reads one record, as framed. Null and a record, or what is wrong.</summary>
    public abstract string? Parse(ReadOnlySpan<byte> frame, out Record record);

    /// <summary>Writes one record with its line end. Null, or why this format cannot hold it; then nothing is
    /// written.</summary>
    public abstract string? Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, IBufferWriter<byte> output);

    /// <summary>The format of a file: as named, else as its extension says, else TSV.</summary>
    public static RecordFormat Choose(string? name, string? file)
    {
        if (name is not null) return All.First(f => f.Name == name);
        var extension = Path.GetExtension(file ?? "").ToLowerInvariant();
        return All.FirstOrDefault(f => f.Extensions.Contains(extension)) ?? All[0];
    }

    /// <summary>The frame without its line end.</summary>
    protected static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> frame) =>
        frame is [.. var content, (byte)'\n'] ? content : frame;

    /// <summary>A record, unless the key is empty.</summary>
    protected static string? Make(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, out Record record)
    {
        record = default;
        if (key.IsEmpty) return "the key is empty";
        record = new Record(key.ToArray(), value.ToArray());
        return null;
    }
}
