using RecoverKV.Client;
using RecoverKV.Host;
using RecoverKV.Host.Bench.Loads;

namespace RecoverKV.Specs.Host;

/// <summary>The accounting of loads, by a clock that only the spec moves.</summary>
public sealed class BenchLoadSpec
{
    private const long Millisecond = Nanoseconds.PerMillisecond;

    [Fact]
    public async Task An_open_loop_charges_a_stall_to_every_operation_that_it_kept_from_beginning()
    {
        var clock = new FakeClock();
        // The first takes 100 ms; the others would take none.
        var load = new FakeWorkload(ticket => clock.Now += ticket == 0 ? 100 * Millisecond : 0);
        var schedule = Schedule.Open(clock.Now, 200 * Millisecond, rate: 1000);
        var figures = Assert.Single(await new LoadLoop(clock, load, 1).RunAsync(schedule, CancellationToken.None));
        var latencies = Milliseconds(figures);
        Assert.Equal(200, latencies.Length);
        // 0..99 for those after the stall, in reverse: 100, 99, 98 ... 1, and then 0.
        Assert.Equal(Enumerable.Range(1, 100), latencies[100..]);
        Assert.All(latencies[..100], l => Assert.Equal(0, l));
    }

    [Fact]
    public async Task A_closed_loop_charges_a_stall_once()
    {
        var clock = new FakeClock();
        var load = new FakeWorkload(ticket => clock.Now += (ticket == 0 ? 100 : 1) * Millisecond);
        var schedule = Schedule.Closed(clock.Now, 200 * Millisecond);
        var figures = Assert.Single(await new LoadLoop(clock, load, 1).RunAsync(schedule, CancellationToken.None));
        Assert.Equal([.. Enumerable.Repeat(1, 100), 100], Milliseconds(figures));
        Assert.Equal(0.2, figures.Seconds, 6);
        // The stall shows in the course of time too: nothing ended in the first 100 ms, and then 10 every 10 ms.
        Assert.Equal([.. Enumerable.Repeat(0, 10), 10, .. Enumerable.Repeat(10, 9), 1], figures.Series);
    }

    [Fact]
    public async Task An_open_loop_that_cannot_keep_its_rate_says_how_much_it_never_began()
    {
        var clock = new FakeClock();
        var load = new FakeWorkload(_ => clock.Now += 100 * Millisecond);
        var schedule = Schedule.Open(clock.Now, Nanoseconds.PerSecond, rate: 1000);
        var figures = Assert.Single(await new LoadLoop(clock, load, 1).RunAsync(schedule, CancellationToken.None));
        // A second and the overtime of 5 s, at 10 a second.
        Assert.Equal(60, figures.Count);
        Assert.Equal(940, figures.Errors["never begun"]);
    }

    [Fact]
    public async Task Failures_are_counted_by_kind_and_are_no_operations_done()
    {
        var clock = new FakeClock();
        var load = new FakeWorkload(ticket =>
        {
            if (ticket % 4 == 1) throw new NotDoneException("no sequencer");
            if (ticket % 4 == 2) throw new OutcomeUnknownException("no answer");
        });
        var figures = Assert.Single(
            await new LoadLoop(clock, load, 1).RunAsync(Schedule.Of(clock.Now, 100), CancellationToken.None));
        Assert.Equal(50, figures.Count);
        Assert.Equal(new Dictionary<string, long> { ["not done"] = 25, ["outcome unknown"] = 25 }, figures.Errors);
        Assert.Equal("not done: no sequencer", figures.AnError);
    }

    [Fact]
    public async Task A_load_that_meets_nothing_but_errors_gives_up()
    {
        var clock = new FakeClock();
        var load = new FakeWorkload(_ => throw new NotDoneException("no node answers"));
        var failure = await Assert.ThrowsAsync<CommandFailedException>(() =>
            new LoadLoop(clock, load, 4).RunAsync(Schedule.Of(clock.Now, 1_000_000), CancellationToken.None));
        Assert.Contains("no node answers", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_operation_of_a_count_is_done_once_by_some_caller()
    {
        using var clock = new MachineClock();
        var done = new int[1000];
        var load = new FakeWorkload(ticket => Interlocked.Increment(ref done[ticket]));
        var figures = await new LoadLoop(clock, load, 7).RunAsync(
            Schedule.Of(clock.Now, done.Length), CancellationToken.None);
        Assert.All(done, d => Assert.Equal(1, d));
        Assert.Equal(1000, figures[0].Count);
    }

    [Fact]
    public async Task Nothing_begins_before_its_time()
    {
        using var clock = new MachineClock();
        var began = new long[50];
        var load = new FakeWorkload(ticket => began[ticket] = clock.Now);
        var start = clock.Now + 5 * Millisecond;
        await new LoadLoop(clock, load, 8).RunAsync(
            Schedule.Open(start, 25 * Millisecond, rate: 2000), CancellationToken.None);
        for (var i = 0; i < began.Length; i++) Assert.True(began[i] >= start + i * Millisecond / 2, $"number {i}");
    }

    private static int[] Milliseconds(Figures figures) =>
    [
        .. figures.Latencies.Chunk(2).SelectMany(
            pair => Enumerable.Repeat((int)Math.Round(pair[0] / (double)Millisecond), (int)pair[1])),
    ];

    private sealed class FakeClock : IBenchClock
    {
        public long Now { get; set; } = 5 * Nanoseconds.PerSecond;

        public ValueTask UntilAsync(Alarm alarm, long time)
        {
            Now = Math.Max(Now, time);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class FakeWorkload(Action<long> operation) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["operations"];

        public override int BufferSize => 0;

        public override ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            operation(ticket);
            return ValueTask.CompletedTask;
        }
    }
}
