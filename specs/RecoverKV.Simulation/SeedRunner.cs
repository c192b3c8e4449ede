using System.Diagnostics;
using System.Globalization;
using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation;

/// <summary>What one seed came to.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Violation">The property that failed; null if all held.</param>
/// <param name="Hash">The same for every run of the seed.</param>
/// <param name="Statistics">What happened.</param>
/// <param name="LastEvents">Of a failure.</param>
public sealed record SeedResult(
    ulong Seed, ViolationException? Violation, ulong Hash, Statistics Statistics, IReadOnlyList<string> LastEvents);

/// <summary>What many seeds came to.</summary>
internal sealed record Totals(Statistics Statistics, IReadOnlyList<SeedResult> Failures, TimeSpan Elapsed);

/// <summary>Runs many seeds, each on one thread.</summary>
internal sealed class SeedRunner(Mutations mutations = Mutations.None, Faults? faults = null)
{
    private readonly Lock _lock = new();

    public static SeedResult RunOne(Scenario scenario, Mutations mutations = Mutations.None, TextWriter? trace = null)
    {
        var cluster = new SimulatedCluster(scenario, mutations, trace);
        ViolationException? violation = null;
        try
        {
            cluster.Run();
        }
        catch (ViolationException e)
        {
            violation = e;
        }

        return new SeedResult(scenario.Seed, violation, cluster.Trace.Hash, cluster.Statistics,
            violation is null ? [] : [.. cluster.Trace.Last()]);
    }

    /// <summary>Prints every event of a seed.</summary>
    public ViolationException? Trace(ulong seed, TextWriter output)
    {
        var scenario = Draw(seed);
        output.WriteLine(scenario);
        var result = RunOne(scenario, mutations, output);
        output.WriteLine(
            result.Violation is { } violation ? $"seed {seed}: {violation}" : $"seed {seed}: all properties hold");
        output.WriteLine($"trace {result.Hash:x16}");
        return result.Violation;
    }

    /// <returns>Whether every property held in every seed.</returns>
    public bool Run(
        ulong first, ulong last, int threads, int maxFailures, TextWriter output, Action<Totals>? finished = null)
    {
        var watch = Stopwatch.StartNew();
        var total = new Statistics { Runs = 0 };
        var failures = new List<SeedResult>();
        var next = first;
        var report = TimeSpan.FromSeconds(30);
        void Work()
        {
            while (true)
            {
                ulong seed;
                lock (_lock)
                {
                    if (next > last || failures.Count >= maxFailures) return;
                    seed = next++;
                }

                var result = RunOne(Draw(seed), mutations);
                lock (_lock)
                {
                    total.Add(result.Statistics);
                    if (result.Violation is not null && failures.Count < maxFailures)
                    {
                        failures.Add(result);
                        Report(result, output);
                    }

                    if (watch.Elapsed < report) continue;
                    report += TimeSpan.FromSeconds(30);
                    output.WriteLine(Summary(total, failures.Count, watch.Elapsed));
                }
            }
        }

        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(Work)).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        output.WriteLine(Summary(total, failures.Count, watch.Elapsed));
        finished?.Invoke(new Totals(total, failures, watch.Elapsed));
        return failures.Count == 0;
    }

    private Scenario Draw(ulong seed)
    {
        var scenario = Scenario.Draw(seed);
        return faults is { } fixedFaults ? scenario with { Faults = fixedFaults } : scenario;
    }

    private void Report(SeedResult result, TextWriter output)
    {
        foreach (var line in result.LastEvents) output.WriteLine("  " + line);
        output.WriteLine($"seed {result.Seed}: {result.Violation!.Message}");
        if (result.Violation.InnerException is { } inner) output.WriteLine(inner.ToString());
        output.WriteLine("again: dotnet run --project specs/RecoverKV.Simulation -c Release -- --trace "
            + $"{result.Seed} --build {BuildId.Value}" + (mutations == Mutations.None ? "" : $" --bug \"{mutations}\"")
            + (faults is null ? "" : $" --faults \"{faults}\""));
        output.WriteLine();
    }

    private static string Summary(Statistics total, int failures, TimeSpan elapsed) =>
        $"{total.Runs} runs, {failures} failures | {total.Writes} writes, {total.Reads} reads, "
        + $"{total.Unknown} given up, {total.Retries} retries, {total.Committed} committed | "
        + $"{total.Faults.Values.Sum()} faults, {total.StartedOver} started over, {total.Checkpoints} checkpoints, "
        + $"{total.Forgotten} facts forgotten, {total.Transfers} transfers, "
        + $"{total.Views} views, {total.JournalReads} journal reads, {total.MessagesLost} messages lost, "
        + $"{total.Undecided} undecided | {Rates(total, elapsed)}, "
        + $"{total.Simulated / elapsed:F0} simulated hours per hour";

    /// <summary>What happens in a second of real time.</summary>
    public static string Rates(Statistics total, TimeSpan elapsed)
    {
        string Rate(long count) => (count / elapsed.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture);
        return $"{total.Runs / elapsed.TotalSeconds:F1} runs/s, {Rate(total.Writes + total.Reads)} operations/s, "
            + $"{Rate(total.Faults.Values.Sum())} faults/s, {Rate(total.Views)} views/s";
    }
}
