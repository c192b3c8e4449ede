using RecoverKV.Chaos.Figures;

namespace RecoverKV.Specs.Chaos;

/// <summary>The figures of the README, as they are made of what the benchmarks measured.</summary>
public sealed class FiguresSpec
{
    private static Measured Run(double alive, double resident = 0) => new(
        [], [new Node((long)resident, 0), new Node(1, 0)], [new Recovery(alive), new Recovery(0.5)], null, "",
        new Machine("", 2, ""));

    private static readonly Figure Alive = new("until ALIVE", m => m.Recoveries.Max(r => r.Alive), "0.0", " s");

    [Fact]
    public void A_figure_is_the_median_of_the_runs_with_their_range()
    {
        Assert.Equal("2.0 s (1.0 to 9.0)", FigureTable.Cell(Alive, [Run(9), Run(1), Run(2)]));
        Assert.Equal("1.5 s (1.0 to 2.0)", FigureTable.Cell(Alive, [Run(2), Run(1)]));
        Assert.Equal("3.0 s", FigureTable.Cell(Alive, [Run(3)]));
    }

    [Fact]
    public void What_else_is_said_of_it_is_a_median_too()
    {
        var figure = Alive with { Beside = [("{0} MB", m => m.Nodes.Max(n => n.ResidentBytes) / 1e6, "N0")] };
        Assert.Equal(
            "2.0 s (1.0 to 3.0), 20 MB",
            FigureTable.Cell(figure, [Run(1, 10e6), Run(2, 20e6), Run(3, 30e6)]));
    }

    [Fact]
    public void A_run_that_has_none_is_said()
    {
        var kill = new Figure("after a kill", m => m.Kill?.BackAfterSeconds, "0.0", " s");
        Assert.Equal("none", FigureTable.Cell(kill, [Run(1)]));
        Assert.Equal(
            "4.0 s; not within the load in 1 of 2",
            FigureTable.Cell(kill, [Run(1), Run(1) with { Kill = new Kill(1, 4) }]));
    }

    [Fact]
    public void Each_command_is_one_of_the_program()
    {
        Assert.All(FigureTable.All, b => Assert.Contains(
            b.Arguments.Split(' ')[0], new[] { "multi", "simple", "mixed", "recovery" }));
        Assert.Equal(FigureTable.All.Length, FigureTable.All.Select(b => b.Arguments).Distinct().Count());
    }
}
