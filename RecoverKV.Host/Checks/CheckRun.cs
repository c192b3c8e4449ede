using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using RecoverKV.Client;

namespace RecoverKV.Host.Checks;

/// <summary>What the users of the original test, in their order. Its pauses of 5 s are upper bounds here: the servers
/// are asked whether they are ALIVE.</summary>
internal sealed class CheckRun(ICheckedStore store, TimeSpan patience, CancellationToken interrupt)
{
    private const int Count = 1000;
    private const int Callers = 16;
    private static readonly TimeSpan HealTime = TimeSpan.FromSeconds(5);

    private readonly string _prefix = $"check-{Guid.NewGuid():N}-";
    private bool _disturbed;

    /// <summary>Runs all checks; what they did to the servers is undone at the end, also if they are
    /// interrupted.</summary>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(Action<CheckResult> done)
    {
        (string Name, Func<Task<CheckResult>> Run)[] checks =
        [
            ("1,000 writes, then reads", WritesAsync),
            ("three rounds of overwrites", OverwritesAsync),
            ("repeated reads", RepeatedReadsAsync),
            ("durability: a server is killed, all is read at once", DurabilityAsync),
            ("recovery of a server that left in good order", () => RecoveryAsync("clean", clean: true)),
            ("recovery of a server that was killed", () => RecoveryAsync("unclean", clean: false)),
            ("an absent key", AbsentAsync),
            ("partition: some read shows the old value", PartitionAsync),
            ("healing: every read shows the new value", HealingAsync),
            ("a server that was not named may not be killed", UnnamedAsync),
        ];
        var results = new List<CheckResult>();
        try
        {
            foreach (var (name, run) in checks)
            {
                results.Add(await RunOneAsync(run) with { Name = name });
                done(results[^1]);
            }
        }
        finally
        {
            await RestoreAsync();
        }

        return results;
    }

    private static async Task<CheckResult> RunOneAsync(Func<Task<CheckResult>> run)
    {
        try
        {
            return await run();
        }
        catch (NotAllowedException e)
        {
            return new CheckResult("", Verdict.NotRun, e.Message);
        }
        catch (RpcException e)
        {
            return new CheckResult("", Verdict.Failed, $"{e.StatusCode}: {Failures.OneLine(e.Status.Detail)}");
        }
        catch (Exception e) when (e is CheckFailedException or RecoverKvException)
        {
            return new CheckResult("", Verdict.Failed, Failures.OneLine(e.Message));
        }
    }

    private async Task<CheckResult> WritesAsync()
    {
        var clock = Stopwatch.StartNew();
        await WriteAsync("w", 0, Count, round: 0);
        await ReadAsync("w", Count, round: 0);
        return Passed($"{Count} written, and read in {Text(clock.Elapsed)} together");
    }

    private async Task<CheckResult> OverwritesAsync()
    {
        for (var round = 1; round <= 3; round++)
        {
            await WriteAsync("w", 0, Count / 4, round);
            await ReadAsync("w", Count / 4, round);
        }

        return Passed($"{Count / 4} keys, each answered its old value and then read its new one");
    }

    private async Task<CheckResult> RepeatedReadsAsync()
    {
        for (var i = 0; i < 4; i++) await ReadAsync("w", Count / 4, round: 3);
        return Passed($"4 times {Count / 4} reads, all the same");
    }

    private async Task<CheckResult> DurabilityAsync()
    {
        await WriteAsync("d", 0, Count, round: 0);
        await DisturbAsync(() => store.StopAsync(Server(0), clean: false, interrupt));
        var clock = Stopwatch.StartNew();
        await ReadAsync("d", Count, round: 0);
        var read = $"{Server(0)} killed; all {Count} read in {Text(clock.Elapsed)}";
        await AliveAsync();
        return Passed(read);
    }

    private async Task<CheckResult> RecoveryAsync(string name, bool clean)
    {
        await WriteAsync(name, 0, Count / 4, round: 0);
        var server = Server(clean ? 1 : 2);
        await DisturbAsync(() => store.StopAsync(server, clean, interrupt));
        var clock = Stopwatch.StartNew();
        await WriteAsync(name, Count / 4, Count, round: 0);
        var written = clock.Elapsed;
        var alive = await AliveAsync(HealTime)
            ? $"all ALIVE after {Text(clock.Elapsed)}"
            : $"not all ALIVE yet after {Text(clock.Elapsed)}";
        await ReadAsync(name, Count, round: 0);
        await AliveAsync();
        return Passed($"{server} stopped; {Count * 3 / 4} more written in {Text(written)}, {alive}, all {Count} read");
    }

    private async Task<CheckResult> AbsentAsync() =>
        await store.GetAsync(_prefix + "absent", interrupt) is null
            ? Passed("absent")
            : throw new CheckFailedException("it has a value");

    private async Task<CheckResult> PartitionAsync()
    {
        await store.PutAsync(Split, "old", interrupt);
        foreach (var server in store.Servers) await DisturbAsync(() => store.PartitionAsync(server, [], interrupt));
        await DisturbAsync(() => store.StopAsync(Server(0), clean: false, interrupt));
        await store.PutAsync(Split, "new", interrupt);
        var clock = Stopwatch.StartNew();
        for (var reads = 1; ; reads++)
        {
            var value = await store.GetAsync(Split, interrupt);
            if (value == "old") return Passed($"read {reads}, after {Text(clock.Elapsed)}, shows the old value");
            if (value != "new") throw new CheckFailedException($"a read shows {Show(value)}");
            if (clock.Elapsed >= HealTime)
                return new CheckResult(
                    "", Verdict.Consistent, $"{reads} reads in {Text(clock.Elapsed)}, none of them old: "
                    + "right for recoverkv.on-partition = consistent");
            await Task.Delay(10, interrupt);
        }
    }

    private async Task<CheckResult> HealingAsync()
    {
        if (await store.GetAsync(Split, interrupt) is null)
            throw new NotAllowedException("there was no partition to heal");
        await LiftAsync(interrupt);
        var clock = Stopwatch.StartNew();
        var alive = await AliveAsync(HealTime);
        var after = Text(clock.Elapsed);
        for (var i = 0; i < Count; i++)
        {
            if (await store.GetAsync(Split, interrupt) is var value && value != "new")
                throw new CheckFailedException($"read {i + 1} shows {Show(value)}");
        }

        await AliveAsync();
        return Passed($"{(alive ? "all ALIVE" : "not all ALIVE yet")} after {after}; {Count} reads, all new");
    }

    private async Task<CheckResult> UnnamedAsync()
    {
        var server = Server(store.Servers.Count - 1);
        return await store.RefusesUnnamedAsync(server, interrupt)
            ? Passed($"a client that did not name {server} may not stop it")
            : throw new CheckFailedException($"a client that did not name {server} has stopped it");
    }

    private string Split => _prefix + "split";

    private string Server(int index) => store.Servers[index % store.Servers.Count];

    private string Key(string name, int i) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}{name}-{i}");

    private static string Value(int i, int round) =>
        string.Create(CultureInfo.InvariantCulture, $"value {i} of round {round}");

    private Task WriteAsync(string name, int from, int to, int round) => EachAsync(from, to, async i =>
    {
        var old = await store.PutAsync(Key(name, i), Value(i, round), interrupt);
        var wanted = round == 0 ? null : Value(i, round - 1);
        if (old != wanted)
            throw new CheckFailedException($"a write of {Key(name, i)} answers {Show(old)}, not {Show(wanted)}");
    });

    private Task ReadAsync(string name, int count, int round) => EachAsync(0, count, async i =>
    {
        var value = await store.GetAsync(Key(name, i), interrupt);
        if (value != Value(i, round))
            throw new CheckFailedException($"{Key(name, i)} is {Show(value)}, not {Show(Value(i, round))}");
    });

    private Task EachAsync(int from, int to, Func<int, Task> run) => Parallel.ForEachAsync(
        Enumerable.Range(from, to - from),
        new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = interrupt },
        async (i, _) => await run(i));

    /// <summary>Waits until all servers are ALIVE; false if that takes too long.</summary>
    private async Task<bool> AliveAsync(TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (!await store.AreAliveAsync(interrupt))
        {
            if (clock.Elapsed >= limit) return false;
            await Task.Delay(100, interrupt);
        }

        return true;
    }

    private async Task AliveAsync()
    {
        if (!await AliveAsync(patience))
            throw new CheckFailedException($"not all servers are ALIVE after {Text(patience)}");
    }

    /// <summary>Does something to the servers, which is to be undone at the end unless it was not allowed.</summary>
    private async Task DisturbAsync(Func<Task> order)
    {
        var before = _disturbed;
        _disturbed = true;
        try
        {
            await order();
        }
        catch (NotAllowedException)
        {
            _disturbed = before;
            throw;
        }
    }

    /// <summary>Lifts all partitions: a server that was stopped takes no order before it has started.</summary>
    private async Task LiftAsync(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        foreach (var server in store.Servers)
        {
            while (!await AcceptsAsync(server)) await Task.Delay(100, cancellation);
        }

        async Task<bool> AcceptsAsync(string server)
        {
            try
            {
                await store.PartitionAsync(server, [.. store.Servers.Where(s => s != server)], cancellation);
                return true;
            }
            catch (NotAllowedException) when (clock.Elapsed < patience)
            {
                return false;
            }
        }
    }

    /// <summary>Whatever happened: no partition stays, and all servers are ALIVE.</summary>
    private async Task RestoreAsync()
    {
        if (!_disturbed) return;
        using var end = new CancellationTokenSource(patience);
        try
        {
            await LiftAsync(end.Token);
            while (!await store.AreAliveAsync(end.Token)) await Task.Delay(100, end.Token);
        }
        catch (Exception e) when (e is NotAllowedException or RpcException or RecoverKvException
            or OperationCanceledException)
        {
            throw new CommandFailedException($"the servers could not be restored: {Failures.OneLine(e.Message)}");
        }
    }

    private static CheckResult Passed(string seen) => new("", Verdict.Passed, seen);

    private static string Show(string? value) => value is null ? "absent" : $"\"{value}\"";

    private static string Text(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
