using System.Buffers;

namespace RecoverKV.Host.Records;

/// <summary>
/// <c>key TAB value LF</c>, taken literally: no escapes, so that a backslash, a quote or a byte that is no UTF-8 is
/// just that byte. The first tab of a line ends the key; further ones, and a CR before the LF, belong to the value.
/// A key with a tab or an LF, or a value with an LF, has no place in it.
/// </summary>
internal sealed class TsvFormat : RecordFormat
{
    /// <inheritdoc/>
    public override string Name => "tsv";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Extensions => [".tsv", ".tab", ".txt"];

    /// <inheritdoc/>
    public override bool AllowsByteOrderMark => false;

    /// <inheritdoc/>
    public override string? Parse(ReadOnlySpan<byte> frame, out Record record)
    {
        record = default;
        var content = Content(frame);
        var tab = content.IndexOf((byte)'\t');
        return tab < 0 ? "no tab between key and value" : Make(content[..tab], content[(tab + 1)..], out record);
    }

    /// <inheritdoc/>
    public override string? Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        if (key.IndexOfAny((byte)'\t', (byte)'\n') >= 0) return "tsv cannot hold a key with a tab or a newline";
        if (value.Contains((byte)'\n')) return "tsv cannot hold a value with a newline";
        output.Write(key);
        output.Write("\t"u8);
        output.Write(value);
        output.Write("\n"u8);
        return null;
    }
}
