using System.Globalization;
using System.Xml.Linq;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>A point of a line, with what it says when pointed at.</summary>
internal readonly record struct ChartPoint(double X, double Y, string Text);

/// <summary>A line of a chart.</summary>
internal sealed record ChartLine(string Name, int Color, IReadOnlyList<ChartPoint> Points);

/// <summary>Draws line charts as SVG within a page; its colours come from the page's style.</summary>
internal static class SvgChart
{
    private const double Width = 640;
    private const double Height = 300;
    private const double Left = 56;
    private const double Right = 104;
    private const double Top = 12;
    private const double Bottom = 28;
    private const int Colors = 3;

    /// <summary>Draws one.</summary>
    /// <param name="caption">What it shows.</param>
    /// <param name="x">The axis below.</param>
    /// <param name="y">The axis at the left.</param>
    /// <param name="lines">The lines.</param>
    /// <param name="mark">Where something happened, on the axis below.</param>
    public static XElement Draw(
        string caption, ChartAxis x, ChartAxis y, IReadOnlyList<ChartLine> lines, double? mark)
    {
        var svg = new XElement("svg",
            new XAttribute("viewBox", Text($"0 0 {Width} {Height}")), new XAttribute("role", "img"),
            new XAttribute("aria-label", caption));
        foreach (var tick in y.Ticks)
        {
            svg.Add(Line(Left, Y(tick.Value), Width - Right, Y(tick.Value), "grid"));
            svg.Add(Label(Left - 8, Y(tick.Value) + 4, "end", tick.Label));
        }

        foreach (var tick in x.Ticks)
        {
            svg.Add(Line(X(tick.Value), Top, X(tick.Value), Height - Bottom, "grid"));
            svg.Add(Label(X(tick.Value), Height - Bottom + 18, "middle", tick.Label));
        }

        if (mark is { } at)
        {
            svg.Add(Line(X(at), Top, X(at), Height - Bottom, "mark"));
            svg.Add(Label(X(at) + 4, Top + 12, "start", "kill"));
        }

        foreach (var line in lines.Where(l => l.Points.Count > 0)) Add(line);
        AddNames();
        return new XElement("figure", new XElement("figcaption", caption), svg);

        double X(double value) => Left + x.Place(value) * (Width - Left - Right);

        double Y(double value) => Height - Bottom - y.Place(value) * (Height - Top - Bottom);

        void Add(ChartLine line)
        {
            svg.Add(new XElement("polyline",
                new XAttribute("class", $"line c{line.Color % Colors}"),
                new XAttribute(
                    "points", string.Join(' ', line.Points.Select(p => Text($"{X(p.X):0.#},{Y(p.Y):0.#}"))))));
            svg.Add(line.Points.Select(p => new XElement("circle",
                new XAttribute("class", "dot"), new XAttribute("cx", Text($"{X(p.X):0.#}")),
                new XAttribute("cy", Text($"{Y(p.Y):0.#}")), new XAttribute("r", 5), new XElement("title", p.Text))));
        }

        // Beside the ends of the lines, and not on each other.
        void AddNames()
        {
            var last = double.NegativeInfinity;
            foreach (var line in lines.Where(l => l.Points.Count > 0).OrderBy(l => Y(l.Points[^1].Y)))
            {
                last = Math.Max(Y(line.Points[^1].Y) + 4, last + 15);
                var name = Label(Width - Right + 6, last, "start", line.Name);
                name.SetAttributeValue("class", $"t{line.Color % Colors}");
                svg.Add(name);
            }
        }
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string style) => new("line",
        new XAttribute("class", style),
        new XAttribute("x1", Text($"{x1:0.#}")), new XAttribute("y1", Text($"{y1:0.#}")),
        new XAttribute("x2", Text($"{x2:0.#}")), new XAttribute("y2", Text($"{y2:0.#}")));

    private static XElement Label(double x, double y, string anchor, string text) => new("text",
        new XAttribute("x", Text($"{x:0.#}")), new XAttribute("y", Text($"{y:0.#}")),
        new XAttribute("text-anchor", anchor), text);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
