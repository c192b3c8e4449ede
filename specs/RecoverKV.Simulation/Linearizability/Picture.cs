using System.Globalization;
using System.Net;
using System.Text;

namespace RecoverKV.Simulation.Linearizability;

/// <summary>A verdict as an SVG timeline: a row for each client, a bar for each operation from call to return, and
/// on the bars of the longest order that explains something their places in it.</summary>
public static class Picture
{
    private const int Row = 34, Left = 80, Width = 1600;

    public static string Of(Verdict verdict)
    {
        var operations = verdict.Operations;
        var clients = operations.Select(o => o.Client).Distinct().Order().ToList();
        // Positions are ranks, not times: what overlaps matters, how long it took does not.
        var moments = operations.SelectMany(o => new[] { o.Call, o.Return }).Where(m => m != Operation.Never)
            .Distinct().Order().ToList();
        var step = (Width - Left - 40.0) / Math.Max(1, moments.Count);
        double X(long moment) =>
            Left + step * (moment == Operation.Never ? moments.Count : moments.BinarySearch(moment));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Row * (clients.Count + 2)}"
              font-family="sans-serif" font-size="10">
            <text x="4" y="14">keys {string.Join(' ', verdict.Keys)}: {verdict.Kind}; numbers: the longest order that
              explains the beginning; red: not explained; dashed: no answer</text>

            """);
        foreach (var client in clients)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"4\" y=\"{Y(client) + 14}\">client {client}</text>\n");
        foreach (var operation in operations) Bar(operation);
        return svg.Append("</svg>\n").ToString();

        int Y(int client) => Row * (1 + clients.IndexOf(client));

        void Bar(Operation operation)
        {
            var place = verdict.Longest.ToList().FindIndex(o => o.Client == operation.Client && o.Call == operation.Call
                && ReferenceEquals(o.Actions, operation.Actions));
            var known = operation.Outcome != Outcome.Unknown;
            var (x, y) = (X(operation.Call), Y(operation.Client));
            var width = Math.Max(2, X(operation.Return) - x);
            var fill = place >= 0 ? "#9fd3a6" : known ? "#f2a09b" : "#e8e8e8";
            var text = WebUtility.HtmlEncode((place >= 0 ? $"{place + 1}: " : "") + operation);
            svg.Append(CultureInfo.InvariantCulture, $"""
                <g><title>{text}</title><rect x="{x:F1}" y="{y}" width="{width:F1}" height="20" rx="3" fill="{fill}"
                  stroke="#555"{(known ? "" : " stroke-dasharray=\"3 2\"")}/>
                <text x="{x + 2:F1}" y="{y + 14}">{(place >= 0 ? $"{place + 1}" : "")}</text></g>

                """);
        }
    }
}
