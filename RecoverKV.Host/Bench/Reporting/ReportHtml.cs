using System.Globalization;
using System.Xml.Linq;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>A report as one page that needs nothing else: no script, no file, no network.</summary>
internal static class ReportHtml
{
    // No < > & in here: XML would escape what HTML takes literally.
    private const string Style = """

        :root { color-scheme: light dark; --page: #fcfcfb; --text: #1c1b1a; --soft: #6b6864; --grid: #e3e1dc;
          --c0: #1f6fb2; --c1: #b8500f; --c2: #4d7a2b; }
        @media (prefers-color-scheme: dark) {
          :root { --page: #191817; --text: #ebe9e4; --soft: #a09c95; --grid: #35332f;
            --c0: #6db3ec; --c1: #f0965a; --c2: #9cc877; }
        }
        body { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
          max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        p { margin: .3rem 0; } .soft { color: var(--soft); }
        code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
        .parameters td { text-align: left; white-space: normal; } .parameters td:first-child { color: var(--soft); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1rem; }
        figure { margin: 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; display: block; }
        svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
        .grid { stroke: var(--grid); stroke-width: 1; } .mark { stroke: var(--text); stroke-dasharray: 4 3; }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .dot { stroke: none; }
        .dot:not(:hover) { fill: transparent; } .dot:hover { fill: var(--text); }
        .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
        svg .t0 { fill: var(--c0); } svg .t1 { fill: var(--c1); } svg .t2 { fill: var(--c2); }

        """;

    /// <summary>The page.</summary>
    public static string Page(Report report)
    {
        var title = $"RecoverKV: bench {report.Bench}";
        var page = new XElement("html", new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta",
                    new XAttribute("name", "viewport"),
                    new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("title", title),
                new XElement("style", Style)),
            new XElement("body",
                new XElement("h1", title),
                new XElement("p", new XAttribute("class", "soft"), string.Create(
                    CultureInfo.InvariantCulture, $"{report.Date:yyyy-MM-dd HH:mm:ss zzz}, version {report.Version}")),
                new XElement("p", new XElement("code", report.CommandLine)),
                new XElement("h2", "Figures"),
                new XElement("div", new XAttribute("class", "wide"), Operations(report)),
                Words.Lines(report).Select(l => new XElement("p", l)),
                new XElement("h2", "Throughput over time"),
                Charts(report.Operations.Select((o, i) => Throughput(report, o, i))),
                new XElement("h2", "Latency distribution"),
                new XElement("p", new XAttribute("class", "soft"),
                    "The share of operations that stayed below a latency; both axes are logarithmic."),
                Charts([Latency(report)]),
                new XElement("h2", "Parameters"),
                Parameters(report)));
        return $"<!DOCTYPE html>\n{page}\n";
    }

    private static XElement Operations(Report report) => new("table",
        new XElement("thead", new XElement("tr", Words.Heading.Select(h => new XElement("th", h)))),
        new XElement("tbody", report.Operations.Select(o =>
            new XElement("tr", Words.Row(o).Select(c => new XElement("td", c))))));

    private static XElement Parameters(Report report) => new("table", new XAttribute("class", "parameters"),
        new XElement("tbody",
            report.Parameters.Append(new KeyValuePair<string, string>("machine", Words.Of(report.Machine)))
                .Select(p => new XElement("tr", new XElement("td", p.Key), new XElement("td", p.Value)))));

    private static XElement Charts(IEnumerable<XElement> charts) =>
        new("div", new XAttribute("class", "charts"), charts);

    private static XElement Throughput(Report report, OperationReport operation, int color)
    {
        var (interval, rates) = operation.Throughput;
        var points = rates.Select((r, i) => new ChartPoint(
            (i + 0.5) * interval, r,
            string.Create(CultureInfo.InvariantCulture, $"{(i + 0.5) * interval:F2} s: {Words.Number(r)}/s")));
        // Kills are timed from the start of the puts.
        double? mark = color == 0 ? report.Kill?.AtSecond : null;
        return SvgChart.Draw($"{operation.Name} per second", new ChartAxis.Linear("s", operation.Seconds),
            new ChartAxis.Linear("", rates.DefaultIfEmpty(0).Max()),
            [new ChartLine(operation.Name, color, [.. points])], mark);
    }

    private static XElement Latency(Report report)
    {
        var lines = report.Operations.Select((o, i) => new ChartLine(o.Name, i, [.. o.Distribution
            .Where(p => p.Milliseconds > 0)
            .Select(p => new ChartPoint(
                1 / (1 - Math.Min(p.Percentile, MostOf(o)) / 100), p.Milliseconds,
                string.Create(
                    CultureInfo.InvariantCulture, $"p{p.Percentile}: {Words.Milliseconds(p.Milliseconds)} ms")))]))
            .ToArray();
        var all = lines.SelectMany(l => l.Points).DefaultIfEmpty(new ChartPoint(10, 1, "")).ToArray();
        return SvgChart.Draw("latency in ms by percentile", new ChartAxis.Percentile(all.Max(p => p.X)),
            new ChartAxis.Logarithmic(all.Min(p => p.Y), all.Max(p => p.Y)), lines, null);
    }

    // Of a thousand operations the slowest is the p99.9: beyond it there is nothing to see.
    private static double MostOf(OperationReport operation) => 100 * (1 - 1.0 / Math.Max(operation.Count, 2));
}
