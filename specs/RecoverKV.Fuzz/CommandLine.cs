using System.CommandLine;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>
/// What the program is asked to do. It works in a child process: a stack that overflows, a memory that is full and a
/// loop without end are found from outside, with the input that led there. Exit codes: 0 nothing found, 1 something
/// found, 2 it was asked wrongly.
/// </summary>
internal sealed class CommandLine(TextWriter output, TextWriter error)
{
    private const string Section = "fuzzing";

    private readonly Option<double> _minutes = new("--minutes")
    {
        Description = "How long, shared equally by all decoders; 10.",
        DefaultValueFactory = _ => 10,
    };

    private readonly Option<ulong> _seed = new("--seed")
    {
        Description = "The same seed gives the same inputs, in the order of their decoder; 1.",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string?> _only = new("--only")
    {
        Description = "Only decoders with this text in their name."
    };

    private readonly Option<string?> _results = new("--results")
    {
        Description = "The page whose section gets the results."
    };

    private readonly Option<string?> _child = new("--child")
    {
        Description = "Works here, showing each input in this file.",
        Hidden = true
    };

    public int Run(string[] arguments)
    {
        var root = new RootCommand("Fuzzes every decoder of RecoverKV that bytes from outside reach.")
        {
            _minutes, _seed, _only, _results, _child,
        };
        root.SetAction(
            parsed => parsed.GetValue(_child) is { } window ? Work(parsed, window) : Watch(arguments, parsed));
        return root.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error });
    }

    private int Watch(string[] arguments, ParseResult parsed)
    {
        try
        {
            if (parsed.GetValue(_results) is { } file) ResultsPage.Check(file, Section);
        }
        catch (InvalidDataException e)
        {
            error.WriteLine(e.Message);
            return 2;
        }

        return new ChildProcess(arguments, output).Run();
    }

    private int Work(ParseResult parsed, string file)
    {
        var only = parsed.GetValue(_only) ?? "";
        var targets = Targets.All.Where(t => t.Name.Contains(only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (targets.Count == 0)
        {
            error.WriteLine(
                $"no decoder has \"{only}\" in its name; "
                + $"there are: {string.Join(", ", Targets.All.Select(t => t.Name))}");
            return 2;
        }

        var minutes = parsed.GetValue(_minutes);
        var each = TimeSpan.FromMinutes(minutes) / targets.Count;
        var tallies = new List<Tally>();
        using var window = new Window(file);
        foreach (var target in targets)
        {
            window.Enter(target.Name);
            var fuzzer = new Fuzzer(target, parsed.GetValue(_seed));
            var end = DateTime.UtcNow + each;
            while (DateTime.UtcNow < end && fuzzer.Tally.Found is null) fuzzer.Run(50, window.Show);
            tallies.Add(fuzzer.Tally);
            output.WriteLine(Report.Line(fuzzer.Tally));
        }

        var found = tallies.Where(t => t.Found is not null).ToList();
        foreach (var tally in found) output.WriteLine(Report.Found(tally));
        if (parsed.GetValue(_results) is { } results)
            ResultsPage.Write(results, Section, Report.Page(tallies, minutes, parsed.GetValue(_seed)));
        return found.Count == 0 ? 0 : 1;
    }
}
