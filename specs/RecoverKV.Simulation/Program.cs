using System.CommandLine;
using System.Globalization;
using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation;

/// <summary>Runs simulations and says what they found; <c>--help</c> lists the options.</summary>
internal static class Program
{
    private static readonly Option<string?> Seeds = new("--seeds") { Description = "Which seeds to run: FROM..TO, or one." };

    private static readonly Option<ulong?> Trace = new("--trace") { Description = "Print every event of this seed." };

    private static readonly Option<string?> Bug = new("--bug")
    {
        Description = "Put known mistakes back: " + string.Join(", ", Enum.GetNames<Mutations>()[1..]),
    };

    private static readonly Option<string?> Kinds = new("--faults")
    {
        Description = "These faults, whatever the seed draws: " + string.Join(", ", Enum.GetNames<Faults>()),
    };

    private static readonly Option<string?> Build = new("--build")
    {
        Description = "With --trace: the build that reported the seed; another one may not repeat it.",
    };

    private static readonly Option<FileInfo?> Drawing = new("--picture")
    {
        Description = "With --trace: where to draw a history that is not linearizable, as SVG.",
    };

    private static readonly Option<int> Failures = new("--failures")
    {
        Description = "Stop after this many failures.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "How many simulations run at once.",
        DefaultValueFactory = _ => Math.Min(2, Environment.ProcessorCount),
    };

    private static readonly Option<FileInfo?> Results = new("--results")
    {
        Description = "With --seeds: the page whose section on simulation gets the results.",
    };

    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Deterministic simulation of a RecoverKV cluster.")
        {
            Seeds, Trace, Bug, Kinds, Build, Drawing, Failures, Threads, Results,
        };
        root.SetAction(Run);
        return root.Parse(arguments).Invoke();
    }

    private static int Run(ParseResult options)
    {
        var mutations = Mutations.None;
        if (options.GetValue(Bug) is { } bug && !Enum.TryParse(bug, ignoreCase: true, out mutations))
            return Wrong($"--bug {bug}: no such mistake. {Bug.Description}");
        Faults? faults = null;
        if (options.GetValue(Kinds) is { } kinds)
        {
            if (!Enum.TryParse<Faults>(kinds, ignoreCase: true, out var parsed))
                return Wrong($"--faults {kinds}: no such fault. {Kinds.Description}");
            faults = parsed;
        }

        var runner = new SeedRunner(mutations, faults);
        if (options.GetValue(Trace) is { } seed)
        {
            if (options.GetValue(Build) is { } build && build != SeedRunner.Build)
                Console.Error.WriteLine($"seed {seed} was reported by build {build}; this is {SeedRunner.Build}: it may not repeat");
            var violation = runner.Trace(seed, Console.Out);
            if (violation?.Verdict is { } verdict && options.GetValue(Drawing) is { } file)
                File.WriteAllText(file.FullName, Picture.Of(verdict));
            return violation is null ? 0 : 1;
        }

        if (!TryRange(options.GetValue(Seeds), out var first, out var last))
            return Wrong("--seeds FROM..TO or --trace SEED is needed, with whole numbers");
        var threads = options.GetValue(Threads);
        Action<Totals>? write = options.GetValue(Results) is { } page
            ? totals => ResultsPage.Write(page.FullName, RunReport.Section, RunReport.Text(first, last, threads, totals))
            : null;
        return runner.Run(first, last, threads, options.GetValue(Failures), Console.Out, write) ? 0 : 1;
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
