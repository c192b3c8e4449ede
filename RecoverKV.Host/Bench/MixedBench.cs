using System.Globalization;
using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Host.Bench;

/// <summary><c>bench mixed</c>: gets and puts of the same keys for a time.</summary>
internal sealed class MixedBench
{
    private const int WarmKeys = 10_000;
    private const int ReadBackRounds = 4;

    /// <summary>How many callers: in an open loop, the most operations at once.</summary>
    public required int Callers { get; init; }

    /// <summary>The share of gets.</summary>
    public required double Reads { get; init; }

    /// <summary>How many keys.</summary>
    public required int Keys { get; init; }

    /// <summary>The skew of the keys; null: all alike.</summary>
    public required double? Theta { get; init; }

    /// <summary>Bytes of a key.</summary>
    public required int KeySize { get; init; }

    /// <summary>Bytes of a value.</summary>
    public required int ValueSize { get; init; }

    /// <summary>How long.</summary>
    public required double Seconds { get; init; }

    /// <summary>Operations per second in an open loop; null: closed loop.</summary>
    public required double? Rate { get; init; }

    /// <summary>Runs it.</summary>
    public async Task<CheckResult> RunAsync(BenchSession session)
    {
        Describe(session.Parameters);
        using var clock = new MachineClock();
        var load = NewLoad(session, KeySpace.Measured, Keys);
        session.Say("writing all keys");
        await LoopAsync(load.Fill, Schedule.Of(Nanoseconds.Now, Keys));
        if (session.WarmUpSeconds > 0)
        {
            session.Say("warming up");
            var warm = NewLoad(session, KeySpace.Warm, WarmKeys);
            await LoopAsync(warm.Mix(Reads, DistributionOf(WarmKeys)), ScheduleOf(session.WarmUpSeconds));
        }

        session.Say("measuring");
        var distribution = DistributionOf(Keys);
        await session.MeasureAsync(async () => await LoopAsync(load.Mix(Reads, distribution), ScheduleOf(Seconds)));
        session.Say("reading back");
        for (var round = 0; round < ReadBackRounds && load.Check() is { Wrong: 0, Holds: false }; round++)
            await LoopAsync(load.ReadBack, Schedule.Of(Nanoseconds.Now, Keys));
        return load.Check();

        Task<Figures[]> LoopAsync(Workload workload, Schedule schedule) =>
            new LoadLoop(clock, workload, Callers).RunAsync(schedule, session.Interrupt);
    }

    private MixedLoad NewLoad(BenchSession session, string prefix, int keys) => new(
        session.Client, new KeySpace(prefix, 0, keys, KeySize), new ValueForm(ValueSize, session.Run));

    private Distribution DistributionOf(int keys) =>
        Theta is { } theta ? new ZipfDistribution(keys, theta) : new UniformDistribution(keys);

    private Schedule ScheduleOf(double seconds) => Rate is { } rate
        ? Schedule.Open(Nanoseconds.Now, Nanoseconds.FromSeconds(seconds), rate)
        : Schedule.Closed(Nanoseconds.Now, Nanoseconds.FromSeconds(seconds));

    private void Describe(Dictionary<string, string> parameters)
    {
        parameters["reads"] = Text($"{Reads:P1}");
        parameters["keys"] = Text($"{Keys:N0}");
        parameters["distribution"] = Theta is { } theta ? Text($"zipf {theta}") : "uniform";
        parameters["key size"] = Text($"{KeySize}");
        parameters["value size"] = Text($"{ValueSize}");
        parameters["duration"] = Text($"{Seconds} s");
        parameters["loop"] = Rate is { } rate
            ? Text($"open, {rate:N0} operations/s, at most {Callers:N0} at once; latency from the intended start")
            : Text($"closed, {Callers:N0} callers");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
