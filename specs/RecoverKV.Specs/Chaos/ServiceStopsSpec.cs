using RecoverKV.Chaos;
using RecoverKV.Chaos.Faults;
using RecoverKV.Chaos.History;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Specs.Chaos;

/// <summary>How long a fault stopped service.</summary>
public sealed class ServiceStopsSpec
{
    private const long Second = 1_000_000_000;

    private static HistoryEntry Write(double at) => new(1, 0, (long)(at * Second), Outcome.Applied, 1, [], []);

    private static HistoryEntry Read(double at) => new(1, 0, (long)(at * Second), Outcome.Applied, 0, [], []);

    private static (double Writes, double Reads) Stop(double injected, double well, params HistoryEntry[] history)
    {
        var fault = new FaultRecord(
            [FaultKind.KillOne], "", (long)(injected * Second), (long)(injected * Second), (long)(well * Second));
        var (_, writes, reads) = ServiceStops.Of([fault], history).Single();
        return (writes, reads);
    }

    [Fact]
    public void The_longest_pause_from_the_fault_until_all_is_well_counts()
    {
        var (writes, reads) = Stop(
            10, 20, Write(9), Write(11), Write(14), Write(15), Write(40), Read(10.5), Read(12), Read(20));
        // From 15 to 40: it was still going on when all said that they were well.
        Assert.Equal(25, writes);
        Assert.Equal(8, reads);
    }

    [Fact]
    public void What_lies_before_the_fault_does_not_count() =>
        Assert.Equal(1, Stop(10, 12, Write(2), Write(11), Write(12)).Writes);

    [Fact]
    public void A_service_that_never_comes_back_is_stopped_until_the_end() =>
        Assert.Equal(10, Stop(10, 20, Write(9)).Writes);
}
