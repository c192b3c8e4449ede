using System.Text.Json;
using System.Xml.Linq;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Specs.Host;

public sealed class BenchReportSpec
{
    [Fact]
    public void The_page_is_well_formed_and_needs_nothing_else()
    {
        var html = ReportHtml.Page(Report());
        var page = XDocument.Parse(html);
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">", html, StringComparison.Ordinal);
        // Nothing that a browser would fetch or run.
        string[] forbidden = ["script", "link", "img", "iframe", "object", "embed", "base"];
        Assert.DoesNotContain(page.Descendants(), e => forbidden.Contains(e.Name.LocalName));
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href" or "style");
        Assert.DoesNotContain("url(", html, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        // In HTML such an element would stay open: only these may be empty.
        string[] empty = ["meta", "line", "polyline"];
        Assert.DoesNotContain(page.Descendants(), e => e.IsEmpty && !empty.Contains(e.Name.LocalName));
    }

    [Fact]
    public void The_page_has_the_table_the_charts_and_the_parameters()
    {
        var page = XDocument.Parse(ReportHtml.Page(Report()));
        var cells = page.Descendants("td").Select(c => c.Value).ToArray();
        foreach (var text in new[]
        {
            "puts", "gets", "1,000", "keys <&>",
            "A & B processor, 2 cores, 4 GB, Some system, .NET 10, load before 1 2 3"
        })
            Assert.Contains(text, cells);
        // A course of throughput for each kind of operation, and one distribution with a line for each.
        var charts = page.Descendants("svg").ToArray();
        Assert.Equal(3, charts.Length);
        Assert.Equal([1, 1, 2], charts.Select(c => c.Elements("polyline").Count()));
        Assert.Single(charts[0].Elements("line"), l => l.Attribute("class")!.Value == "mark");
        foreach (var point in page.Descendants("polyline").SelectMany(l => l.Attribute("points")!.Value.Split(' ')))
        {
            var place = point.Split(',')
                .Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            Assert.InRange(place[0], 0, 640);
            Assert.InRange(place[1], 0, 300);
        }

        Assert.Contains("recoverkv bench multi --count 1000", page.Descendants("code").Select(c => c.Value));
        Assert.Contains(page.Descendants("p"), p => p.Value.Contains("longest pause 1.20 s", StringComparison.Ordinal));
    }

    [Fact]
    public void The_json_has_all_figures()
    {
        using var json = JsonDocument.Parse(ReportOutput.Json(Report()));
        var root = json.RootElement;
        Assert.Equal("multi", root.GetProperty("bench").GetString());
        Assert.Equal(2, root.GetProperty("machine").GetProperty("cores").GetInt32());
        var puts = root.GetProperty("operations")[0];
        Assert.Equal("puts", puts.GetProperty("name").GetString());
        Assert.Equal(1000, puts.GetProperty("count").GetInt64());
        Assert.InRange(puts.GetProperty("latency").GetProperty("p99").GetDouble(), 989, 991);
        Assert.Equal(3, puts.GetProperty("errors").GetProperty("not done").GetInt64());
        Assert.True(puts.GetProperty("throughput").GetProperty("perSecond").GetArrayLength() > 0);
        Assert.Equal(1000, root.GetProperty("check").GetProperty("readBack").GetInt64());
        Assert.Equal(1.2, root.GetProperty("kill").GetProperty("longestPauseSeconds").GetDouble());
        Assert.Equal(100_000_000, root.GetProperty("nodes")[0].GetProperty("residentBytes").GetInt64());
    }

    [Theory]
    [InlineData(1000, 1000, 0, 0, 0, "")]
    [InlineData(1000, 1000, 0, 3, 3, "recoverkv: 3 calls failed, for example: gone\n")]
    [InlineData(1000, 998, 2, 3, 1, "recoverkv: 2 reads were wrong: a key\n")]
    [InlineData(1000, 999, 0, 0, 1, "recoverkv: 1 acknowledged writes could not be read back\n")]
    public void The_exit_code_tells_whether_promises_were_kept(
        long acknowledged, long readBack, long wrong, long failed, int code, string error)
    {
        using var terminal = new TestTerminal();
        var report = Report(failed)
            with
        { Check = new CheckResult(acknowledged, readBack, wrong, wrong > 0 ? "a key" : null) };
        Assert.Equal(code, ReportOutput.Write(terminal.Terminal, report, null, null));
        Assert.Equal(error, terminal.Error);
        Assert.Contains("│ puts", terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_in_place_of_the_table_is_alone_on_the_standard_output()
    {
        using var terminal = new TestTerminal();
        ReportOutput.Write(terminal.Terminal, Report(failed: 0), "-", null);
        using var json = JsonDocument.Parse(terminal.Output);
        Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
    }

    [Fact]
    public void A_report_of_nothing_done_can_be_shown()
    {
        var nothing = new Recorder(0, ["puts"], 1).Collect()[0];
        var report = Report() with { Operations = [OperationReport.Of(nothing)], Kill = null };
        XDocument.Parse(ReportHtml.Page(report));
        using var terminal = new TestTerminal();
        ReportOutput.Write(terminal.Terminal, report, null, null);
    }

    private static Report Report(long failed = 3) => new()
    {
        Bench = "multi",
        Version = "1.2.3 (Release)",
        Date = DateTimeOffset.UnixEpoch,
        CommandLine = "recoverkv bench multi --count 1000",
        Machine = new Machine("Some system", "A & B processor", 2, 4_000_000_000, ".NET 10", "1 2 3"),
        Parameters = new Dictionary<string, string> { ["callers"] = "256", ["a text"] = "keys <&>" },
        Operations = [Operation("puts", failed), Operation("gets", 0)],
        Nodes = [new NodeReport("node1", 100_000_000, 20_000_000)],
        Check = new CheckResult(1000, 1000, 0, null),
        Kill = new KillReport("node1", true, 0.3, 1.2, null),
    };

    private static OperationReport Operation(string name, long failed)
    {
        var recorder = new Recorder(0, [name], 1);
        for (var i = 1; i <= 1000; i++) recorder.Done(0, 0, 0, i * Nanoseconds.PerMillisecond);
        for (var i = 0; i < failed; i++) recorder.Failed(0, 0, 0, new RecoverKV.Client.NotDoneException("gone"));
        var report = OperationReport.Of(recorder.Collect()[0], TimeSpan.FromSeconds(1));
        return failed > 0 ? report with { AnError = "gone" } : report;
    }
}
