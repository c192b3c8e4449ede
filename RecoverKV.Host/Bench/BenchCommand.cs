using System.CommandLine;
using RecoverKV.Host.Commands;

namespace RecoverKV.Host.Bench;

/// <summary><c>bench multi</c></summary>
internal static class BenchCommand
{
    public static Command Create(CommandContext context)
    {
        var callers = Arguments.Number("--callers", 40, 1, 100_000, "How many callers at once.");
        var count = Arguments.Number("--count", 20_000, 1, 100_000_000, "How many puts, and then gets.");
        var size = Arguments.Number("--value-size", 100, 16, 1024 * 1024, "Bytes of a value.");
        var multi = context.NewCommand("multi",
            "Puts, then gets, by many callers over one client; each acknowledged put is read back and compared.",
            async (parsed, client, cancellation) =>
            {
                var bench = new MultiBench(
                    client, parsed.GetValue(callers), parsed.GetValue(count), parsed.GetValue(size));
                return await bench.RunAsync(context.Terminal, cancellation);
            });
        multi.Add(callers);
        multi.Add(count);
        multi.Add(size);
        return new Command("bench", "Measure the store; keys of the form bench/... are written and stay.") { multi };
    }
}
