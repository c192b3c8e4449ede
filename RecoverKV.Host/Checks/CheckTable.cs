using System.Globalization;
using Spectre.Console;

namespace RecoverKV.Host.Checks;

/// <summary>The results for the terminal.</summary>
internal static class CheckTable
{
    private const int WidthOfFiles = 160;

    /// <summary>Writes them.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<CheckResult> results)
    {
        var console = terminal.TableConsole(WidthOfFiles);
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(new TableColumn("").RightAligned());
        foreach (var heading in (string[])["check", "result", "seen"]) table.AddColumn(heading);
        foreach (var (i, result) in results.Index())
        {
            table.AddRow(
                new Text((i + 1).ToString(CultureInfo.InvariantCulture)), new Text(result.Name),
                new Text(Name(result.Verdict), Color(result.Verdict)), new Text(result.Seen));
        }

        console.Write(table);
        terminal.Out.WriteLine(Summary(results));
    }

    /// <summary>The line below the table.</summary>
    public static string Summary(IReadOnlyList<CheckResult> results)
    {
        var line = $"{Count(results, Verdict.Passed)} of {results.Count} passed";
        if (Count(results, Verdict.Failed) is > 0 and var failed) line += $", {failed} failed";
        if (Count(results, Verdict.NotRun) is > 0 and var notRun) line += $", {notRun} not run";
        if (Count(results, Verdict.Consistent) > 0)
            line += "; a store that is consistent in a partition does not show old values, as it should";
        return line;
    }

    private static int Count(IReadOnlyList<CheckResult> results, Verdict verdict) =>
        results.Count(r => r.Verdict == verdict);

    private static string Name(Verdict verdict) => verdict switch
    {
        Verdict.Passed => "passed",
        Verdict.Consistent => "consistent",
        Verdict.NotRun => "not run",
        _ => "FAILED",
    };

    private static Style Color(Verdict verdict) => verdict switch
    {
        Verdict.Passed => Spectre.Console.Color.Green,
        Verdict.Failed => Spectre.Console.Color.Red,
        _ => Spectre.Console.Color.Yellow,
    };
}
