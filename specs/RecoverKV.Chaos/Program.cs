using System.CommandLine;
using System.Globalization;
using RecoverKV.Chaos.Faults;
using RecoverKV.Chaos.Figures;
using RecoverKV.Chaos.History;
using RecoverKV.Chaos.Load;
using RecoverKV.Chaos.Moments;
using RecoverKV.Simulation;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos;

/// <summary>Chaos on real processes; <c>--help</c> lists the options.</summary>
internal static class Program
{
    private static readonly Option<int> Nodes = new("--nodes")
    {
        Description = "How many nodes: 3 or 5.",
        DefaultValueFactory = _ => 3
    };

    private static readonly Option<double> Minutes = new("--minutes")
    {
        Description = "How long faults are injected.",
        DefaultValueFactory = _ => 5
    };

    private static readonly Option<int> Clients = new("--clients")
    {
        Description = "Client processes.",
        DefaultValueFactory = _ => 4
    };

    private static readonly Option<int> Workers = new("--workers")
    {
        Description = "Logical clients of each; half of them only read.",
        DefaultValueFactory = _ => 4
    };

    private static readonly Option<int> Think = new("--think")
    {
        Description = "Mean time between two operations of one, in milliseconds.",
        DefaultValueFactory = _ => 100
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Draws faults and operations.",
        DefaultValueFactory = _ => 1
    };

    private static readonly Option<string> Network = new("--network")
    {
        Description = "namespaces (needs root), loopback, or auto.",
        DefaultValueFactory = _ => "auto"
    };

    private static readonly Option<string?> Kinds = new("--faults")
    {
        Description = "Only these: " + string.Join(", ", Enum.GetNames<FaultKind>())
    };

    private static readonly Option<string?> Folder = new("--data")
    {
        Description = "Where data, logs and histories go, and stay."
    };

    private static readonly Option<string?> Results = new("--results")
    {
        Description = "The page whose section gets the results."
    };

    private static readonly Option<bool> Tls = new("--tls")
    {
        Description = "Connections are encrypted, and certificates exchanged between faults."
    };

    private static readonly Option<int> Idle = new("--idle")
    {
        Description = "Connections at each port that say nothing.",
        DefaultValueFactory = _ => 5000
    };

    private static readonly Option<int> Noisy = new("--noisy")
    {
        Description = "Connections at each port that send noise.",
        DefaultValueFactory = _ => 500
    };

    private static readonly Option<int> Files = new("--files")
    {
        Description = "File descriptors of each process.",
        DefaultValueFactory = _ => 300
    };

    private static readonly Option<int> Keys = new("--keys")
    {
        Description = "Keys of the store.",
        DefaultValueFactory = _ => new MomentsOptions().Keys
    };

    private static readonly Option<int> Port = new("--port")
    {
        Description = "The first of five ports; 0: any that are free.",
        DefaultValueFactory = _ => 7400
    };

    private static readonly Option<int> Runs = new("--runs")
    {
        Description = "How often each is measured.",
        DefaultValueFactory = _ => 5
    };

    private static readonly Option<string?> MomentsOf = new("--kinds")
    {
        Description = "Only these: " + string.Join(", ", Enum.GetNames<MomentKind>())
    };

    private static readonly Option<string> Contact = new("--contact") { Required = true };

    private static readonly Option<string> HistoryPath = new("--history") { Required = true };

    private static readonly Option<int> FirstWorker = new("--first-worker") { Required = true };

    private static readonly Argument<string> File = new("HISTORY")
    {
        Description = "A history.json of an earlier run."
    };

    private static async Task<int> Main(string[] arguments)
    {
        Network.AcceptOnlyFromAmong("auto", "namespaces", "loopback");
        foreach (var option in new[] { Clients, Workers, Think, Keys, Runs })
            Check(
                option,
                text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0,
                "a whole number from 1 on");
        Check(Nodes, text => text is "3" or "5", "3 or 5");
        Check(
            Minutes,
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var n)
                && n is > 0 and <= 24 * 60,
            "more than 0 and at most a day");

        var root = new RootCommand("Breaks a cluster of real processes in every way, and checks what its clients saw.")
        {
            Nodes, Minutes, Clients, Workers, Think, Seed, Network, Tls, Kinds, Folder, Results,
        };
        root.SetAction(RunAsync);
        var check = new Command("check", "Checks the history of an earlier run again.") { File };
        check.SetAction(Check);
        var client = new Command("client") { Contact, HistoryPath, FirstWorker, Workers, Think, Seed };
        client.Hidden = true;
        client.SetAction((o, _) => LoadProcess.RunAsync(
            o.GetRequiredValue(Contact).Split(','), o.GetRequiredValue(HistoryPath), o.GetValue(FirstWorker),
            o.GetValue(Workers), TimeSpan.FromMilliseconds(o.GetValue(Think)), o.GetValue(Seed)));
        var watch = new Command("watch") { Contact };
        watch.Hidden = true;
        watch.SetAction((o, _) => WatchProcess.RunAsync(o.GetRequiredValue(Contact).Split(',')));
        var strangers = new Command("strangers", "Many connections of strangers at every port of a local cluster.")
        {
            Idle, Noisy, Files, Tls, Results
        };
        strangers.SetAction(StrangersAsync);
        root.Add(strangers);
        var moments = new Command(
            "moments", "kill -9 and full disks at every moment of checkpoints, transfers, backups and restores.")
        {
            Minutes, Seed, Keys, Port, MomentsOf, Results,
        };
        moments.SetAction(MomentsAsync);
        root.Add(moments);
        var figures = new Command("figures", "Measures the figures of the README, by the program's own benchmarks.")
        {
            Runs, Results,
        };
        figures.SetAction(FiguresAsync);
        root.Add(figures);
        root.Add(check);
        root.Add(client);
        root.Add(watch);
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0) return Wrong(parsed.Errors[0].Message);
        // Ctrl-C ends the run in good order: processes, namespaces and disks are taken down, the checks are made.
        return await parsed.InvokeAsync(
            new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(5) });
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (!TryKinds<FaultKind>(parsed, Kinds, out var kinds)) return 2;
        var options = new ChaosOptions
        {
            Nodes = parsed.GetValue(Nodes),
            Time = TimeSpan.FromMinutes(parsed.GetValue(Minutes)),
            Clients = parsed.GetValue(Clients),
            Workers = parsed.GetValue(Workers),
            Think = TimeSpan.FromMilliseconds(parsed.GetValue(Think)),
            Seed = parsed.GetValue(Seed),
            Namespaces = parsed.GetValue(Network) switch { "namespaces" => true, "loopback" => false, _ => null },
            Tls = parsed.GetValue(Tls),
            Kinds = kinds,
            Folder = parsed.GetValue(Folder),
            Results = parsed.GetValue(Results),
        };
        try
        {
            var result = await new ChaosRun(options, Console.Out).RunAsync(cancellation);
            var text = ChaosReport.Text(options, result);
            Console.WriteLine(text);
            if (options.Results is { } page) ResultsPage.Write(page, ChaosReport.Section(options), text);
            foreach (var violation in result.Violations) Console.Error.WriteLine("VIOLATION: " + violation);
            return result.Violations.Count == 0 ? 0 : 1;
        }
        catch (ChaosException e)
        {
            return Wrong(e.Message);
        }
    }

    private static async Task<int> MomentsAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (!TryKinds<MomentKind>(parsed, MomentsOf, out var kinds)) return 2;
        var options = new MomentsOptions
        {
            Time = TimeSpan.FromMinutes(parsed.GetValue(Minutes)),
            Seed = parsed.GetValue(Seed),
            Keys = parsed.GetValue(Keys),
            Port = parsed.GetValue(Port),
            Kinds = kinds,
        };
        try
        {
            var result = await new MomentsRun(options, Console.Out).RunAsync(cancellation);
            var text = MomentsReport.Text(options, result);
            Console.WriteLine(text);
            if (parsed.GetValue(Results) is { } page) ResultsPage.Write(page, MomentsReport.Section, text);
            if (result.Violation is { } violation) Console.Error.WriteLine("VIOLATION: " + violation);
            return result.Violation is null ? 0 : 1;
        }
        catch (ChaosException e)
        {
            return Wrong(e.Message);
        }
    }

    /// <summary>The kinds that an option names; null: all.</summary>
    private static bool TryKinds<T>(ParseResult parsed, Option<string?> option, out List<T>? kinds)
        where T : struct, Enum
    {
        kinds = null;
        if (parsed.GetValue(option) is not { } names) return true;
        kinds = [];
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Enum.TryParse<T>(name, ignoreCase: true, out var kind))
            {
                Wrong($"{option.Name} {name}: there is no such thing. {option.Description}");
                return false;
            }

            kinds.Add(kind);
        }

        return true;
    }

    private static async Task<int> FiguresAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            if (parsed.GetValue(Results) is { } file) ResultsPage.Check(file, FiguresRun.Section);
            var text = await new FiguresRun(parsed.GetValue(Runs), Console.Out).RunAsync(cancellation);
            Console.WriteLine(text);
            if (parsed.GetValue(Results) is { } page) ResultsPage.Write(page, FiguresRun.Section, text);
            return 0;
        }
        catch (Exception e) when (e is ChaosException or InvalidDataException)
        {
            return Wrong(e.Message);
        }
    }

    private static async Task<int> StrangersAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var tls = parsed.GetValue(Tls);
        try
        {
            var (text, holds) = await new StrangersRun(
                parsed.GetValue(Idle), parsed.GetValue(Noisy), parsed.GetValue(Files), tls, Console.Out).RunAsync();
            Console.WriteLine(text);
            if (parsed.GetValue(Results) is { } page)
                ResultsPage.Write(page, tls ? "strangers with TLS" : "strangers", text);
            return holds ? 0 : 1;
        }
        catch (ChaosException e)
        {
            return Wrong(e.Message);
        }
    }

    private static int Check(ParseResult parsed)
    {
        try
        {
            var history = HistoryFile.Read(parsed.GetRequiredValue(File));
            var (wrong, verdict, decided) = HistoryChecks.Check(history);
            foreach (var line in wrong) Console.WriteLine(line);
            if (verdict is not null)
            {
                var picture = Path.ChangeExtension(parsed.GetRequiredValue(File), ".svg");
                System.IO.File.WriteAllText(picture, Picture.Of(verdict));
                Console.WriteLine($"drawn in {picture}");
            }

            Console.WriteLine($"{history.Count} operations: "
                + (wrong.Count > 0 ? "wrong"
                    : decided ? "linearizable"
                    : "no violation found; not every part was decided"));
            return wrong.Count == 0 ? 0 : 1;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return Wrong(e.Message);
        }
    }

    private static int Wrong(string text)
    {
        Console.Error.WriteLine("recoverkv-chaos: " + text.ReplaceLineEndings(" "));
        return 2;
    }

    private static void Check(Option option, Func<string, bool> isGood, string what) => option.Validators.Add(r =>
    {
        if (r.Tokens.Count > 0 && !isGood(r.Tokens[0].Value)) r.AddError($"{option.Name} is {what}");
    });
}
