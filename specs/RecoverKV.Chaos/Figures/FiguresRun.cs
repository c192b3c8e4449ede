using System.Globalization;
using System.Text;
using System.Text.Json;

namespace RecoverKV.Chaos.Figures;

/// <summary>Measures the figures of the README: each command so many times, in turns, so that what the machine does
/// meanwhile is spread over all.</summary>
internal sealed class FiguresRun(int runs, TextWriter output)
{
    /// <summary>The section of the page.</summary>
    public const string Section = "figures";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Runs it; the section's text.</summary>
    /// <exception cref="ChaosException">A command failed, or lost a write.</exception>
    public async Task<string> RunAsync(CancellationToken cancellation)
    {
        var measured = FigureTable.All.ToDictionary(b => b, _ => new List<Measured>());
        for (var run = 1; run <= runs; run++)
        {
            foreach (var bench in FigureTable.All)
            {
                cancellation.ThrowIfCancellationRequested();
                await output.WriteLineAsync($"run {run} of {runs}: bench {bench.Arguments}");
                var json = await Commands.RunAsync(
                    Commands.Program("recoverkv", ["bench", .. bench.Arguments.Split(' '), "--json", "-"]));
                measured[bench].Add(JsonSerializer.Deserialize<Measured>(json, Json)!);
            }
        }

        return Text(measured);
    }

    private string Text(Dictionary<Bench, List<Measured>> measured)
    {
        var machine = measured.Values.First()[0].Machine;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            Measured on {DateTime.UtcNow:yyyy-MM-dd} by `dotnet run --project specs/RecoverKV.Chaos -c Release -- figures --runs {runs} --results README.md`
            on a machine of {machine.Cores} cores ({machine.Processor}, {machine.Runtime}): three node processes and the load on it. Medians of {runs} runs,
            with their range.

            | what | figure | `recoverkv bench ...` |
            |---|---|---|

            """);
        foreach (var (bench, of) in measured)
            foreach (var figure in bench.Figures)
                text.Append(CultureInfo.InvariantCulture,
                    $"| {figure.What} | {FigureTable.Cell(figure, of)} | `{bench.Arguments}` |\n");
        return text.ToString();
    }
}
