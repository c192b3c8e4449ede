using System.CommandLine;
using System.Globalization;
using RecoverKV.Host.Commands;

namespace RecoverKV.Host.Bench;

/// <summary><c>bench simple|multi|mixed|recovery</c></summary>
internal static class BenchCommand
{
    public static Command Create(Terminal terminal) => new("bench",
        "Measure a store: by default one of three nodes that is started for it, else a given one, in which keys of the "
        + "form bench/... and warm-/... are written and stay. What is acknowledged is read back and compared; the exit "
        + "code is 1 if it is wrong.")
    {
        Simple(terminal), Multi(terminal), Mixed(terminal), Recovery(terminal), WorkerCommand.Create(terminal),
    };

    private static Command Simple(Terminal terminal)
    {
        var command = new Command("simple", "Puts, then gets, by one caller.");
        var count = BenchOptions.Count("--count", 2_000, "How many puts, and then gets.", min: 4);
        var (kill, keySize, valueSize) = (new KillOptions(), BenchOptions.KeySize(), BenchOptions.ValueSize());
        AddAll(command, [count, .. kill.All, keySize, valueSize]);
        var options = new BenchOptions(command);
        command.SetAction((parsed, _) =>
        {
            var plan = kill.Read(parsed);
            var settings = options.Read(parsed, plan is null ? null : "--kill");
            return BenchSession.RunAsync("simple", terminal, settings, new PutGetBench
            {
                Callers = 1,
                Count = parsed.GetValue(count),
                KeySize = parsed.GetValue(keySize),
                ValueSize = parsed.GetValue(valueSize),
                Kill = plan,
            }.RunAsync);
        });
        return command;
    }

    private static Command Multi(Terminal terminal)
    {
        var command = new Command("multi", "Puts, then gets, by many callers at once.");
        var callers = BenchOptions.Callers("How many callers at once.");
        var count = BenchOptions.Count("--count", 100_000, "How many puts, and then gets.", min: 4);
        var processes = Arguments.Number(
            "--processes", 1, 1, 256, "How many client processes the callers are spread over; 1 is this one.");
        var (kill, keySize, valueSize) = (new KillOptions(), BenchOptions.KeySize(), BenchOptions.ValueSize());
        AddAll(command, [callers, count, processes, .. kill.All, keySize, valueSize]);
        var options = new BenchOptions(command);
        command.SetAction((parsed, _) =>
        {
            var plan = kill.Read(parsed);
            if (parsed.GetValue(processes) > parsed.GetValue(callers))
                throw new UsageException("--processes: each needs a caller at least (--callers)");
            if (parsed.GetValue(processes) > parsed.GetValue(count))
                throw new UsageException("--processes: each needs a put at least (--count)");
            if (plan is not null && parsed.GetValue(processes) > 1)
                throw new UsageException("--kill: only with one client process");
            var settings = options.Read(parsed, plan is null ? null : "--kill");
            return BenchSession.RunAsync("multi", terminal, settings, new PutGetBench
            {
                Callers = parsed.GetValue(callers),
                Count = parsed.GetValue(count),
                Processes = parsed.GetValue(processes),
                KeySize = parsed.GetValue(keySize),
                ValueSize = parsed.GetValue(valueSize),
                Kill = plan,
            }.RunAsync);
        });
        return command;
    }

    private static Command Mixed(Terminal terminal)
    {
        var command = new Command("mixed", "Gets and puts of the same keys, for a time.");
        var callers = BenchOptions.Callers("How many callers; with --rate the most operations at once.");
        var reads = Arguments.Real("--reads", 0.95, 0, 1, "SHARE", "The share of gets, from 0 to 1.");
        var keys = BenchOptions.Count("--keys", 100_000, "How many keys; all are written first.");
        var distribution = new Option<string>("--distribution")
        {
            Description = "Which keys are used: zipf (a few often and most seldom) or uniform (all alike).",
            HelpName = "zipf|uniform",
            DefaultValueFactory = _ => "zipf",
        };
        distribution.AcceptOnlyFromAmong("zipf", "uniform");
        var theta = Arguments.Real("--theta", 0.99, 0.01, 0.999, "SKEW", "The skew of zipf.");
        var duration = Arguments.Seconds("--duration", 10, "How long to measure.");
        var rate = new Option<double?>("--rate")
        {
            Description =
                "Begin so many operations a second, whether the store keeps up or not (open loop); the latency "
                + "counts from when each should have begun. Default: each caller begins the next as soon as it can.",
            HelpName = "OPERATIONS",
            CustomParser = result =>
            {
                if (result.Tokens is [var token]
                    && double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && number is > 0 and <= 10_000_000)
                    return number;
                result.AddError("--rate: a number of operations per second above 0, at most 10000000, is wanted, not "
                    + $"\"{(result.Tokens is [var wrong] ? wrong.Value : "")}\"");
                return null;
            },
        };
        var (keySize, valueSize) = (BenchOptions.KeySize(), BenchOptions.ValueSize());
        AddAll(command, callers, reads, keys, distribution, theta, duration, rate, keySize, valueSize);
        var options = new BenchOptions(command);
        command.SetAction((parsed, _) =>
        {
            var zipf = parsed.GetValue(distribution) == "zipf";
            if (!zipf && parsed.GetResult(theta) is { Implicit: false })
                throw new UsageException("--theta is the skew of --distribution zipf");
            return BenchSession.RunAsync("mixed", terminal, options.Read(parsed), new MixedBench
            {
                Callers = parsed.GetValue(callers),
                Reads = parsed.GetValue(reads),
                Keys = parsed.GetValue(keys),
                Theta = zipf ? parsed.GetValue(theta) : null,
                KeySize = parsed.GetValue(keySize),
                ValueSize = parsed.GetValue(valueSize),
                Seconds = parsed.GetValue(duration),
                Rate = parsed.GetValue(rate),
            }.RunAsync);
        });
        return command;
    }

    private static Command Recovery(Terminal terminal)
    {
        var command = new Command("recovery",
            "Write, kill a node as by kill -9, write on, start it again: how long until it is ALIVE.");
        var callers = BenchOptions.Callers("How many callers write.");
        var count = BenchOptions.Count("--count", 100_000, "How many writes before the kill.");
        var more = BenchOptions.Count("--more", 20_000, "How many writes while the node is down.", min: 0);
        var all = new Option<bool>("--all") { Description = "Kill all nodes; none writes on then." };
        var (keySize, valueSize) = (BenchOptions.KeySize(), BenchOptions.ValueSize());
        AddAll(command, callers, count, more, all, keySize, valueSize);
        var options = new BenchOptions(command, warmsUp: false);
        command.SetAction((parsed, _) =>
        {
            if (parsed.GetValue(all) && parsed.GetResult(more) is { Implicit: false })
                throw new UsageException("--more: nobody can write while all nodes are down (--all)");
            return BenchSession.RunAsync("recovery", terminal, options.Read(parsed, "recovery"), new RecoveryBench
            {
                Callers = parsed.GetValue(callers),
                Count = parsed.GetValue(count),
                More = parsed.GetValue(more),
                All = parsed.GetValue(all),
                KeySize = parsed.GetValue(keySize),
                ValueSize = parsed.GetValue(valueSize),
            }.RunAsync);
        });
        return command;
    }

    private static void AddAll(Command command, params IEnumerable<Option> options)
    {
        foreach (var option in options) command.Add(option);
    }
}
