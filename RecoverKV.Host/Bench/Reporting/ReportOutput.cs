using System.Text.Json;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>Gives a report out: to the terminal, and to files.</summary>
internal static class ReportOutput
{
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes it; the exit code: 1 if a promise was broken, 3 if calls failed.</summary>
    public static int Write(Terminal terminal, Report report, string? json, string? html)
    {
        if (json == "-") terminal.Out.WriteLine(Json(report));
        else ReportTable.Write(terminal, report);
        if (json is not null and not "-") File.WriteAllText(json, Json(report) + "\n");
        if (html is not null) File.WriteAllText(html, ReportHtml.Page(report));
        if (Complaint(report) is { } complaint) terminal.Error.WriteLine($"{Failures.Prefix}{complaint}");
        if (!report.Check.Holds) return ExitCode.Negative;
        return report.Errors > 0 ? ExitCode.NotDone : ExitCode.Done;
    }

    /// <summary>The report as JSON.</summary>
    public static string Json(Report report) => JsonSerializer.Serialize(report, JsonOptions);

    private static string? Complaint(Report report)
    {
        var check = report.Check;
        if (check.Wrong > 0) return Failures.OneLine($"{check.Wrong} reads were wrong: {check.AWrong}");
        if (!check.Holds) return $"{check.Acknowledged - check.ReadBack} acknowledged writes could not be read back";
        return report.Errors > 0
            ? $"{report.Errors} calls failed, "
                + $"for example: {report.Operations.Select(o => o.AnError).First(e => e is not null)}"
            : null;
    }
}
