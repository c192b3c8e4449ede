using System.CommandLine;
using RecoverKV.Client;
using RecoverKV.Host.Loading;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Commands;

/// <summary><c>load FILE|- [--format F]</c></summary>
internal static class LoadCommand
{
    private const int NamedBadLines = 10;

    public static Command Create(CommandContext context)
    {
        var file = Arguments.NeverEmpty(
            new Argument<string>("FILE") { Description = "The file to load; - is the standard input." });
        // Told at once, and not after a search for the store.
        file.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: not "-" and { Length: > 0 } name }]) return;
            if (Directory.Exists(name)) result.AddError($"cannot read {name}: it is a folder");
            else if (!File.Exists(name)) result.AddError($"cannot read {name}: there is no such file");
        });
        var format = FormatOption.Create();
        var command = context.NewCommand("load",
            "Store the keys and values of a file. Bad lines are named and passed over. It may be run again.",
            async (parsed, client, _) =>
            {
                var name = parsed.GetRequiredValue(file);
                return await RunAsync(
                    context.Terminal, client, name, RecordFormat.Choose(parsed.GetValue(format), name));
            },
            // A load goes on by itself even after an outage of all nodes.
            timeout: 60);
        command.Add(file);
        command.Add(format);
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal, RecoverKvClient client, string name, RecordFormat format)
    {
        await using var input = Open(terminal, name);
        using var interrupt = new InterruptSource();
        var reader = new RecordReader(input, format);
        long named = 0;
        var loader = new Loader(
            record => client.PutAsync(new Key(record.Key), record.Value, CancellationToken.None),
            (line, error) =>
            {
                if (named++ < NamedBadLines) terminal.Error.WriteLine($"line {line}: {Failures.OneLine(error)}");
            });
        long? length = input.CanSeek ? input.Length : null;
        var result = await LoadProgress.ShowAsync(
            terminal, length, () => reader.Position, () => loader.Loaded,
            () => loader.RunAsync(reader.ReadAsync(interrupt.Token), interrupt.Token));
        return Report(terminal, result);
    }

    /// <summary>Says how a load ended, and gives its exit code.</summary>
    internal static int Report(Terminal terminal, LoadResult result)
    {
        if (result.Bad > NamedBadLines)
            terminal.Error.WriteLine($"... and {result.Bad - NamedBadLines} more bad lines");
        if (result.Failure is { } failure)
        {
            var where = result.FailedLine > 0 ? $"line {result.FailedLine}: " : "";
            terminal.Error.WriteLine(
                $"recoverkv: {where}{Failures.Describe(failure)}; the load stopped and can be run again");
        }

        terminal.Out.WriteLine($"loaded {result.Loaded}, bad {result.Bad}");
        if (result.Failure is not null) return Failures.CodeOf(result.Failure);
        return result.Bad > 0 ? ExitCode.Usage : ExitCode.Done;
    }

    private static Stream Open(Terminal terminal, string name)
    {
        if (name == "-") return terminal.Input;
        try
        {
            return new CancellableInput(new FileStream(
                name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read {name}: {e.Message}");
        }
    }
}
