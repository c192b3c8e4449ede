using Spectre.Console;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>A report for the terminal.</summary>
internal static class ReportTable
{
    private const int WidthOfFiles = 140;

    /// <summary>Writes it.</summary>
    public static void Write(Terminal terminal, Report report)
    {
        var console = terminal.TableConsole(WidthOfFiles);
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var heading in Words.Heading)
        {
            var column = new TableColumn(heading).NoWrap();
            table.AddColumn(heading == "operation" ? column : column.RightAligned());
        }

        foreach (var operation in report.Operations) table.AddRow([.. Words.Row(operation).Select(c => new Text(c))]);
        terminal.Out.WriteLine(
            $"bench {report.Bench}: {string.Join(", ", report.Parameters.Select(p => $"{p.Key} {p.Value}"))}");
        console.Write(table);
        foreach (var line in Words.Lines(report)) terminal.Out.WriteLine(line);
    }
}
