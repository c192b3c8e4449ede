using System.Buffers;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Records;

/// <summary>Writes items as records, and names the first ones that cannot be. For one thread.</summary>
/// <param name="terminal">Where it names them.</param>
/// <param name="output">Where the records go.</param>
/// <param name="write">Writes one record. Null, or why it cannot be written; then nothing is.</param>
internal sealed class RecordWriter(Terminal terminal, Stream output, Func<ScanItem, IBufferWriter<byte>, string?> write)
{
    private const int NamedRefusals = 10;
    private const int FlushBytes = 64 * 1024;

    /// <summary>How many records were written.</summary>
    public long Written { get; private set; }

    /// <summary>How many could not be.</summary>
    public long Refused { get; private set; }

    /// <summary>Writes all of them.</summary>
    public async Task WriteAsync(IAsyncEnumerable<ScanItem> items)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * FlushBytes);
        await foreach (var item in items)
        {
            if (write(item, buffer) is not { } error) Written++;
            else if (Refused++ < NamedRefusals)
                terminal.Error.WriteLine($"key {Failures.OneLine(item.Key.ToString())}: {error}");
            if (buffer.WrittenCount < FlushBytes) continue;
            await output.WriteAsync(buffer.WrittenMemory);
            buffer.ResetWrittenCount();
        }

        await output.WriteAsync(buffer.WrittenMemory);
        await output.FlushAsync();
    }
}
