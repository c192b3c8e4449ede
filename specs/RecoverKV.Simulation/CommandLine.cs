using System.CommandLine;
using System.Globalization;
using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation;

/// <summary>What the program is asked to do. Exit codes: 0 all properties hold, 1 they do not, 2 it was asked
/// wrongly.</summary>
internal sealed class CommandLine(TextWriter output, TextWriter error)
{
    private sealed class WrongException(string text) : Exception(text);

    private readonly Option<string?> _seeds = new("--seeds") { Description = "Which seeds to run: FROM..TO, or one." };

    private readonly Option<string?> _trace = new("--trace") { Description = "Print every event of this seed." };

    private readonly Option<bool> _mutations = new("--mutations")
    {
        Description = "Put each known mistake back, alone, "
            + $"and look for the lowest seed up to {MutationSearch.LastSeed} that meets it.",
    };

    private readonly Option<string?> _bug = new("--bug")
    {
        Description = "Put known mistakes back: " + string.Join(", ", Enum.GetNames<Mutations>()[1..]),
    };

    private readonly Option<string?> _faults = new("--faults")
    {
        Description = "These faults, whatever the seed draws: " + string.Join(", ", Enum.GetNames<Faults>()),
    };

    private readonly Option<string?> _build = new("--build")
    {
        Description = "With --trace: the build that reported the seed; another one may not repeat it.",
    };

    private readonly Option<string?> _picture = new("--picture")
    {
        Description = "With --trace: where to draw a history that is not linearizable, as SVG.",
    };

    private readonly Option<string?> _failures = new("--failures")
    {
        Description = "With --seeds: stop after this many failures; 1."
    };

    private readonly Option<string?> _threads = new("--threads")
    {
        Description =
            "With --seeds or --mutations: how many simulations run at once; 2, or 1 where there is one processor only.",
    };

    private readonly Option<string?> _results = new("--results")
    {
        Description = "With --seeds or --mutations: the page whose section gets the results.",
    };

    public int Run(string[] arguments)
    {
        var root = new RootCommand("Deterministic simulation of a RecoverKV cluster.")
        {
            _seeds, _trace, _mutations, _bug, _faults, _build, _picture, _failures, _threads, _results,
        };
        root.SetAction(Do);
        var parsed = root.Parse(arguments);
        try
        {
            if (parsed.Errors.Count > 0) throw new WrongException(parsed.Errors[0].Message);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception e) when (e is WrongException or InvalidDataException or IOException
            or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message.ReplaceLineEndings(" "));
            return 2;
        }
    }

    private int Do(ParseResult options)
    {
        Option[] modes = [_seeds, _trace, _mutations];
        var mode = modes.Where(m => IsGiven(options, m)).ToList() is [var one]
            ? one
            : throw new WrongException("one of --seeds FROM..TO, --trace SEED and --mutations is needed");
        Option[] fitting = mode == _seeds ? [_bug, _faults, _failures, _threads, _results]
            : mode == _trace ? [_bug, _faults, _build, _picture]
            : [_threads, _results];
        Option[] others = [_bug, _faults, _build, _picture, _failures, _threads, _results];
        if (others.Except(fitting).FirstOrDefault(o => IsGiven(options, o)) is { } unfit)
            throw new WrongException($"{unfit.Name} does not go with {mode.Name}");

        // The page's command would not repeat them.
        if (IsGiven(options, _results)
            && new Option[] { _bug, _faults }.FirstOrDefault(o => IsGiven(options, o)) is { } unlike)
            throw new WrongException($"--results does not go with {unlike.Name}");

        if (mode == _mutations)
            return MutationReport.Run(Threads(options), output, Page(options, MutationReport.Section)) ? 0 : 1;
        var mistakes = Names<Mutations>(options, _bug) ?? Mutations.None;
        var runner = new SeedRunner(mistakes, Names<Faults>(options, _faults));
        return mode == _trace ? Trace(options, runner) : Seeds(options, runner);
    }

    private int Trace(ParseResult options, SeedRunner runner)
    {
        var text = options.GetValue(_trace);
        if (!TryNumber(text, out var seed)) throw new WrongException($"--trace {text}: a seed is a whole number");
        if (options.GetValue(_build) is { } build && build != BuildId.Value)
            error.WriteLine($"seed {seed} is of build {build}; this is build {BuildId.Value}, which may not repeat it");
        var violation = runner.Trace(seed, output);
        if (violation?.Verdict is { } verdict && options.GetValue(_picture) is { } file)
            File.WriteAllText(file, Picture.Of(verdict));
        return violation is null ? 0 : 1;
    }

    private int Seeds(ParseResult options, SeedRunner runner)
    {
        var text = options.GetValue(_seeds);
        var parts = (text ?? "").Split("..");
        if (parts.Length > 2 || !TryNumber(parts[0], out var first)
            || !TryNumber(parts[^1], out var last) || first > last)
            throw new WrongException($"--seeds {text}: FROM..TO is needed, or one seed, in whole numbers");
        var threads = Threads(options);
        var page = Page(options, RunReport.Section);
        return runner.Run(first, last, threads, Count(options, _failures, 1), output,
            page is null ? null : totals => page(RunReport.Text(first, last, threads, totals))) ? 0 : 1;
    }

    private Action<string>? Page(ParseResult options, string section)
    {
        if (options.GetValue(_results) is not { } file) return null;
        ResultsPage.Check(file, section);
        return text => ResultsPage.Write(file, section, text);
    }

    private int Threads(ParseResult options) => Count(options, _threads, Math.Min(2, Environment.ProcessorCount));

    private static bool IsGiven(ParseResult options, Option option) => options.GetResult(option) is { Implicit: false };

    private static int Count(ParseResult options, Option<string?> option, int otherwise)
    {
        if (options.GetValue(option) is not { } text) return otherwise;
        return TryNumber(text, out var number) && number is >= 1 and <= int.MaxValue
            ? (int)number
            : throw new WrongException($"{option.Name} {text}: a whole number from 1 on is needed");
    }

    private static T? Names<T>(ParseResult options, Option<string?> option)
        where T : struct, Enum
    {
        if (options.GetValue(option) is not { } text) return null;
        // Numbers would pass, too, whether they mean anything or not.
        return !text.Any(char.IsAsciiDigit) && Enum.TryParse<T>(text, ignoreCase: true, out var value)
            ? value
            : throw new WrongException($"{option.Name} {text}: what there is: {string.Join(", ", Enum.GetNames<T>())}");
    }

    private static bool TryNumber(string? text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
