using System.Buffers;
using System.CommandLine;
using System.CommandLine.Parsing;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Commands;

/// <summary><c>scan [PREFIX] [--from KEY] [--to KEY] [--after KEY] [--limit N] [--reverse] [--keys] [--hex] [--stale]
/// [--format F]</c></summary>
internal static class ScanCommand
{
    public static Command Create(CommandContext context)
    {
        var prefix = new Argument<string?>("PREFIX")
        {
            Description = "Print the keys that begin with it; all keys if it is left out.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = Bound("--from", "Print keys from this one on.");
        var to = Bound("--to", "Print keys below this one.");
        var after = Bound("--after", "Go on behind this key: the last one that an earlier scan printed.");
        var limit = Arguments.Limit("Print no more keys than this.");
        var reverse = new Option<bool>("--reverse") { Description = "The last key first." };
        var keys = new Option<bool>("--keys") { Description = "Print keys only, a line each." };
        var hex = new Option<bool>("--hex")
        {
            Description = "PREFIX and bounds are hexadecimal digits, two a byte; keys and values are printed so.",
        };
        var stale = Arguments.Stale();
        var format = FormatOption.Create();
        var command = context.NewCommand(
            "scan", "Print keys and values in the order of the keys' bytes.", async (parsed, client, cancellation) =>
            {
                var isHex = parsed.GetValue(hex);
                Key? KeyOf(string? text) => text is null ? (Key?)null : Words.KeyOf(text, isHex);
                var start = KeyOf(parsed.GetValue(prefix));
                var options = new ScanOptions
                {
                    Range = start is { } bytes
                        ? KeyRange.Prefix(bytes)
                        : KeyRange.Between(KeyOf(parsed.GetValue(from)), KeyOf(parsed.GetValue(to))),
                    After = KeyOf(parsed.GetValue(after)),
                    Reverse = parsed.GetValue(reverse),
                    Consistency = parsed.GetValue(stale) ? ReadConsistency.Stale : ReadConsistency.Linearizable,
                };
                // Where reserved keys may stand between, nobody knows how many more are to be read.
                var most = parsed.GetValue(limit);
                if (most < long.MaxValue && !ReservedKeys.MayBeIn(options.Range))
                    options = options with { Limit = most };
                var items = ReservedKeys.LeaveOut(client.ScanAsync(options, cancellation), most);
                var chosen = RecordFormat.Choose(parsed.GetValue(format), null);
                return await PrintAsync(context.Terminal, items, parsed.GetValue(keys) ? null : chosen, isHex);
            });
        command.Validators.Add(result =>
        {
            if (result.GetResult(prefix)?.Tokens.Count is 1 && (IsGiven(result, from) || IsGiven(result, to)))
                result.AddError("scan: either PREFIX or --from and --to");
            var isHex = result.GetValue(hex);
            foreach (var text in new[]
            {
                result.GetValue(prefix), result.GetValue(from), result.GetValue(to), result.GetValue(after)
            })
                if (isHex && text is not null && Words.FromHex(text) is null)
                    result.AddError(Words.NoHex("a key", text));
            if (!result.Errors.Any() && result.GetValue(from) is { } first && result.GetValue(to) is { } end
                && Words.KeyOf(end, isHex) < Words.KeyOf(first, isHex)) result.AddError("scan: --to is before --from");
        });
        command.Add(prefix);
        foreach (var option in new Option[] { from, to, after, limit, reverse, keys, hex, stale, format })
            command.Add(option);
        return command;
    }

    private static Option<string?> Bound(string name, string description) =>
        Arguments.NeverEmpty(new Option<string?>(name) { Description = description, HelpName = "KEY" });

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <param name="terminal">Where it goes.</param>
    /// <param name="items">What is printed.</param>
    /// <param name="format">Null for keys only.</param>
    /// <param name="hex">Whether keys and values are printed as hexadecimal digits.</param>
    private static async Task<int> PrintAsync(
        Terminal terminal, IAsyncEnumerable<ScanItem> items, RecordFormat? format, bool hex)
    {
        string? Write(ScanItem item, IBufferWriter<byte> output)
        {
            var key = Printed(item.Key.Bytes.Span, hex);
            if (format is not null) return format.Write(key, Printed(item.Version.Value.Span, hex), output);
            if (key.Contains((byte)'\n')) return "has a newline: use --hex";
            output.Write(key);
            output.Write("\n"u8);
            return null;
        }

        var writer = new RecordWriter(terminal, terminal.Output, Write);
        await writer.WriteAsync(items);
        if (writer.Refused == 0) return ExitCode.Done;
        terminal.Error.WriteLine(
            $"recoverkv: left out {writer.Refused} of {writer.Refused + writer.Written}: use --hex or --format ndjson");
        return ExitCode.Usage;
    }

    private static ReadOnlySpan<byte> Printed(ReadOnlySpan<byte> bytes, bool hex) =>
        hex ? System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes)) : bytes;
}
