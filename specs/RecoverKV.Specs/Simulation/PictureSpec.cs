using System.Globalization;
using System.Xml.Linq;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Simulation;

/// <summary>The drawing of a history that is not linearizable.</summary>
public class PictureSpec
{
    private const string Red = "#f2a09b", Green = "#9fd3a6", Grey = "#e8e8e8";
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static Verdict Failing()
    {
        Operation[] history =
        [
            new(1, 10, 20, Outcome.Applied, [new(ActionKind.Put, 0, 7)]),
            new(2, 15, 40, Outcome.Applied, [new(ActionKind.Get, 0, Observed: 7)]),
            new(3, 16, Operation.Never, Outcome.Unknown, [new(ActionKind.Delete, 0)]),
            new(1, 50, 60, Outcome.Refused, [new(ActionKind.Put, 0, 8, 7, 9)]),
        ];
        var verdict = Checker.Check(history);
        Assert.Equal((VerdictKind.NotLinearizable, 4), (verdict.Kind, verdict.Operations.Count));
        return verdict;
    }

    private static List<XElement> Bars(XDocument picture) => [.. picture.Root!.Elements(Svg + "g")];

    private static string Fill(XElement bar) => bar.Element(Svg + "rect")!.Attribute("fill")!.Value;

    [Fact]
    public void Every_operation_has_a_bar_that_tells_of_it_and_its_place_in_the_order()
    {
        var verdict = Failing();
        var bars = Bars(XDocument.Parse(Picture.Of(verdict)));
        Assert.Equal(verdict.Operations.Count, bars.Count);
        foreach (var (bar, operation) in bars.Zip(verdict.Operations))
        {
            var title = bar.Element(Svg + "title")!.Value;
            var place = bar.Element(Svg + "text")!.Value;
            Assert.Equal(place.Length > 0 ? $"{place}: {operation}" : operation.ToString(), title);
        }

        var places = bars.Select(b => b.Element(Svg + "text")!.Value).Where(p => p.Length > 0)
            .Select(p => int.Parse(p, CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(1, verdict.Longest.Count), places.Order());
        Assert.NotEmpty(verdict.Longest);
    }

    [Fact]
    public void What_is_not_explained_is_red_and_what_has_no_answer_is_dashed()
    {
        var verdict = Failing();
        var bars = Bars(XDocument.Parse(Picture.Of(verdict)));
        // The last one claims to have seen a value that nobody put.
        Assert.Equal(Red, Fill(bars[3]));
        Assert.Equal([Green, Green], bars.Take(2).Select(Fill));
        Assert.Contains(Fill(bars[2]), new[] { Green, Grey });
        Assert.Equal(
            [2],
            Enumerable.Range(0, 4)
                .Where(i => bars[i].Element(Svg + "rect")!.Attribute("stroke-dasharray") is not null));
    }

    [Fact]
    public void Each_client_has_a_row_and_bars_overlap_as_the_operations_do()
    {
        var bars = Bars(XDocument.Parse(Picture.Of(Failing())));
        double Of(int bar, string name) =>
            double.Parse(bars[bar].Element(Svg + "rect")!.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        double End(int bar) => Of(bar, "x") + Of(bar, "width");
        Assert.Equal(Of(0, "y"), Of(3, "y"));
        Assert.Equal(3, bars.Select((_, i) => Of(i, "y")).Distinct().Count());
        Assert.True(Of(0, "x") < Of(1, "x") && Of(1, "x") < Of(2, "x") && Of(2, "x") < End(0) && End(0) < End(1));
        Assert.True(End(1) < Of(3, "x"));
        Assert.True(End(2) > End(3));
        Assert.All(Enumerable.Range(0, 4), i => Assert.InRange(End(i), 80, 1600));
    }

    [Fact]
    public void Histories_of_any_kind_give_well_formed_pictures()
    {
        Assert.Empty(Bars(XDocument.Parse(Picture.Of(Verdict.Linearizable))));
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var history = HistoryMaker.Spoil(
                seed, HistoryMaker.Linearizable(seed, 60, 3, 4, seed % 2 == 0, 0.2), out _);
            var verdict = Checker.Check(history);
            var bars = Bars(XDocument.Parse(Picture.Of(verdict)));
            Assert.Equal(verdict.Operations.Count, bars.Count);
            Assert.Equal(verdict.Longest.Count, bars.Count(b => Fill(b) == Green));
            Assert.Contains(bars, b => Fill(b) == Red);
        }
    }
}
