using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Commands;

/// <summary><c>dump [FILE|-] [--format F] [--stale|--at-one-point]</c></summary>
internal static class DumpCommand
{
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
        var atOnePoint = new Option<bool>("--at-one-point")
        {
            Description =
                "All keys as they are at one point of the order of writes, of a checkpoint that a node makes for it.",
        };
        var command = context.NewCommand("dump", "Write all keys and values, in the order of the keys' bytes.",
            async (parsed, client, cancellation) =>
            {
                var name = parsed.GetRequiredValue(file);
                var consistency = parsed.GetValue(stale) ? ReadConsistency.Stale : ReadConsistency.Linearizable;
                var chosen = RecordFormat.Choose(parsed.GetValue(format), name);
                var items = parsed.GetValue(atOnePoint)
                    ? StateParts.ItemsAsync(client, cancellation)
                    : client.ScanAsync(new ScanOptions { Consistency = consistency }, cancellation);
                return await RunAsync(context.Terminal, items, name, chosen);
            });
        command.Add(file);
        command.Add(format);
        command.Add(stale);
        command.Add(atOnePoint);
        command.Validators.Add(result =>
        {
            if (result.GetValue(stale) && result.GetValue(atOnePoint))
                result.AddError("--stale and --at-one-point exclude each other");
        });
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

    /// <summary>A device or a pipe is no place for a second file beside it, nor is one to take its name; null for a
    /// file of a disk.</summary>
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
        var writer = new RecordWriter(
            terminal, output, (item, buffer) => format.Write(item.Key.Bytes.Span, item.Version.Value.Span, buffer));
        await writer.WriteAsync(ReservedKeys.LeaveOut(items));
        if (writer.Refused == 0)
        {
            terminal.Error.WriteLine($"dumped {writer.Written}");
            return ExitCode.Done;
        }

        terminal.Error.WriteLine($"dumped {writer.Written}, left out {writer.Refused} that {format.Name} cannot hold: "
            + "use --format ndjson");
        return ExitCode.Usage;
    }
}
