using System.CommandLine;
using System.Globalization;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation;

/// <summary><c>--seeds FROM..TO [--trace SEED] [--bug NAME]</c>: runs simulations and says what they found.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        var seeds = new Option<string>("--seeds") { Description = "Which seeds to run: FROM..TO, or one." };
        var trace = new Option<ulong?>("--trace") { Description = "Print every event of this seed." };
        var bug = new Option<string?>("--bug")
        {
            Description = "Put a known mistake back: " + string.Join(", ", Enum.GetNames<Mutations>()[1..]),
        };
        var failures = new Option<int>("--failures")
        {
            Description = "Stop after this many failures.",
            DefaultValueFactory = _ => 1,
        };
        var threads = new Option<int>("--threads")
        {
            Description = "How many simulations run at once.",
            DefaultValueFactory = _ => Math.Min(2, Environment.ProcessorCount),
        };
        var root = new RootCommand("Deterministic simulation of a RecoverKV cluster.") { seeds, trace, bug, failures, threads };
        root.SetAction(parsed =>
        {
            var mutation = Mutations.None;
            if (parsed.GetValue(bug) is { } name && !Enum.TryParse(name, ignoreCase: true, out mutation))
                return Wrong($"--bug {name}: no such mistake. {bug.Description}");
            if (parsed.GetValue(trace) is { } traced) return SeedRunner.Trace(traced, mutation, Console.Out) ? 0 : 1;
            if (!TryRange(parsed.GetValue(seeds), out var first, out var last))
                return Wrong("--seeds FROM..TO or --trace SEED is needed, with whole numbers");
            var runner = new SeedRunner(mutation, parsed.GetValue(threads), parsed.GetValue(failures));
            return runner.Run(first, last, Console.Out) ? 0 : 1;
        });
        return root.Parse(arguments).Invoke();
    }

    private static int Wrong(string text)
    {
        Console.Error.WriteLine(text);
        return 2;
    }

    private static bool TryRange(string? text, out ulong first, out ulong last)
    {
        last = 0;
        var parts = (text ?? "").Split("..");
        return ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && parts.Length <= 2
            && ulong.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out last)
            && first <= last;
    }
}
