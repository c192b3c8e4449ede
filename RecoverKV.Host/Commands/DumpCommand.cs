using System.Buffers;
using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Commands;

/// <summary><c>dump [FILE|-] [--format F] [--stale]</c></summary>
internal static class DumpCommand
{
    private const int NamedRefusals = 10;
    private const int FlushBytes = 64 * 1024;

    public static Command Create(CommandContext context)
    {
        var file = Arguments.NeverEmpty(new Argument<string>("FILE")
        {
            Description = "The file to write; - is the standard output.",
            DefaultValueFactory = _ => "-",
        });
        file.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }] && Directory.Exists(name))
                result.AddError($"cannot write {name}: it is a folder");
        });
        var format = FormatOption.Create();
        var stale = Arguments.Stale();
        var command = context.NewCommand("dump", "Write all keys and values, in no particular order.",
            async (parsed, client, cancellation) =>
            {
                var name = parsed.GetRequiredValue(file);
                var consistency = parsed.GetValue(stale) ? ReadConsistency.Stale : ReadConsistency.Linearizable;
                var chosen = RecordFormat.Choose(parsed.GetValue(format), name);
                return await RunAsync(context.Terminal, client.ScanAsync(consistency, cancellation), name, chosen);
            });
        command.Add(file);
        command.Add(format);
        command.Add(stale);
        return command;
    }

    /// <summary>Writes all items to a file, which appears under its name only when it is complete.</summary>
    internal static async Task<int> RunAsync(
        Terminal terminal, IAsyncEnumerable<ScanItem> items, string name, RecordFormat format)
    {
        if (name == "-") return await WriteAsync(terminal, items, terminal.Output, format);
        var partial = name + ".partial";
        try
        {
            await using (var place = OpenInPlace(name))
            {
                if (place is not null) return await WriteAsync(terminal, items, place, format);
            }

            int code;
            await using (var output = new FileStream(partial, FileMode.Create, FileAccess.Write))
                code = await WriteAsync(terminal, items, output, format);
            File.Move(partial, name, overwrite: true);
            return code;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"cannot write {name}: {e.Message}");
        }
        finally
        {
            if (File.Exists(partial)) File.Delete(partial);
        }
    }

    /// <summary>A device or a pipe is no place for a second file beside it, nor is one to take its name; null for a file of
    /// a disk.</summary>
    private static FileStream? OpenInPlace(string name)
    {
        if (!File.Exists(name)) return null;
        var target = File.ResolveLinkTarget(name, returnFinalTarget: true)?.FullName ?? name;
        var stream = new FileStream(name, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        if (!stream.CanSeek || target.StartsWith("/dev/", StringComparison.Ordinal)
            || target.StartsWith("/proc/", StringComparison.Ordinal)) return stream;
        stream.Dispose();
        return null;
    }

    private static async Task<int> WriteAsync(
        Terminal terminal, IAsyncEnumerable<ScanItem> items, Stream output, RecordFormat format)
    {
        long written = 0, refused = 0;
        var buffer = new ArrayBufferWriter<byte>(2 * FlushBytes);
        await foreach (var item in items)
        {
            if (ReservedKeys.Holds(item.Key)) continue;
            if (format.Write(item.Key.Bytes.Span, item.Version.Value.Span, buffer) is not { } error)
            {
                written++;
            }
            else if (refused++ < NamedRefusals)
            {
                terminal.Error.WriteLine($"key {Failures.OneLine(item.Key.ToString())}: {error}");
            }

            if (buffer.WrittenCount < FlushBytes) continue;
            await output.WriteAsync(buffer.WrittenMemory);
            buffer.ResetWrittenCount();
        }

        await output.WriteAsync(buffer.WrittenMemory);
        await output.FlushAsync();
        if (refused == 0)
        {
            terminal.Error.WriteLine($"dumped {written}");
            return ExitCode.Done;
        }

        terminal.Error.WriteLine($"dumped {written}, left out {refused} that {format.Name} cannot hold: "
            + "use --format ndjson");
        return ExitCode.Usage;
    }
}
