using System.Globalization;
using System.Text;
using RecoverKV.Chaos.Faults;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos;

/// <summary>The results of a run as a section of the results page.</summary>
internal static class ChaosReport
{
    public static string Section(ChaosOptions options) =>
        string.Create(
            CultureInfo.InvariantCulture, $"chaos of {options.Nodes} nodes{(options.Tls ? " with TLS" : "")}");

    public static string Text(ChaosOptions options, ChaosResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Chaos, {options.Nodes} nodes{(options.Tls ? ", TLS" : "")}

            ```sh
            dotnet run --project specs/RecoverKV.Chaos -c Release -- --nodes {options.Nodes}{(options.Tls ? " --tls" : "")} --minutes {options.Time.TotalMinutes:0.##} --seed {options.Seed} --results specs/RESULTS.md
            ```

            Real processes of `recoverkv node` and of clients on one machine of {Environment.ProcessorCount} cores. The network: {result.Network}.


            """);
        void Row(params string[] cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        string Number(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
        long Count(Outcome outcome) => result.History.Count(h => h.Outcome == outcome);
        Row("what", "figure");
        text.Append("|---|---|\n");
        Row("date", result.Began.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        Row("outcome", result.Violations.Count == 0 ? "**no violation**" : $"**{result.Violations.Count} violations**");
        Row("time", string.Create(
            CultureInfo.InvariantCulture, $"{result.Took.TotalMinutes:F1} minutes, start and checks included"));
        Row(
            "operations",
            $"{Number(result.History.Count)} by {options.Clients} client processes of {options.Workers} workers");
        Row(
            "of these: writes acknowledged, conditions that failed, reads",
            $"{Number(result.History.Count(h => h.Uid != 0 && h.Outcome == Outcome.Applied))}, "
            + $"{Number(Count(Outcome.Refused))}, "
            + $"{Number(result.History.Count(h => h.Uid == 0 && h.Outcome == Outcome.Applied))}");
        Row("writes of unknown outcome", Number(Count(Outcome.Unknown)));
        Row(
            "linearizable",
            result.Decided
                ? "an order was found for every part"
                : "not every part was decided by the search; the uids hold");
        Row("replicas compared at the same uid", Number(result.Compared));
        Row("faults", Number(result.Faults.Count));
        Row("starts of nodes", Number(result.Starts));
        Row("checkpoints, and states taken from a peer", $"{Number(result.Checkpoints)}, {Number(result.Transfers)}");
        Row("damaged folders that a node refused, moved away", Number(result.FoldersMoved));
        foreach (var violation in result.Violations)
            Row("violation", violation.Split('\n')[0].Replace("|", "\\|", StringComparison.Ordinal));

        text.Append("\nHow long each fault stopped service, in seconds: the longest time without any success, "
            + "until all was well again.\n\n");
        Row(
            "fault", "times", "writes: median", "p99", "max",
            "reads: median", "p99", "max", "well again after: median", "max");
        text.Append("|---|---|---|---|---|---|---|---|---|---|\n");
        var stops = ServiceStops.Of(result.Faults, result.History).ToList();
        var groups = stops.GroupBy(s => s.Fault.Kinds.Count > 1 ? "two of these at once" : s.Fault.Kinds[0].Describe())
            .OrderBy(g => g.First().Fault.Kinds.Count).ThenBy(g => g.First().Fault.Kinds[0]);
        foreach (var group in groups)
        {
            double[] writes = [.. group.Select(s => s.Writes).Order()], reads = [.. group.Select(s => s.Reads).Order()];
            double[] well = [.. group.Select(s => (s.Fault.Well - s.Fault.Healed) / 1e9).Order()];
            Row(
            [
                group.Key, Number(group.Count()), At(writes, 0.5), At(writes, 0.99), At(writes, 1),
                At(reads, 0.5), At(reads, 0.99), At(reads, 1), At(well, 0.5), At(well, 1)
            ]);
        }

        var absent = Enum.GetValues<FaultKind>().Except(result.Kinds).ToList();
        if (absent.Count > 0)
            text.Append("\nNot done: ").AppendJoin("; ", absent.Select(k => k.Describe())).Append(".\n");
        return text.ToString();
    }

    private static string At(double[] sorted, double share) =>
        sorted[(int)Math.Ceiling((sorted.Length - 1) * share)].ToString("F2", CultureInfo.InvariantCulture);
}
