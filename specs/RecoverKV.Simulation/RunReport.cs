using System.Globalization;
using System.Text;

namespace RecoverKV.Simulation;

/// <summary>What a run over many seeds came to, as a section of <see cref="ResultsPage"/>.</summary>
internal static class RunReport
{
    public const string Section = "simulation";

    public static string Text(ulong first, ulong last, int threads, Totals totals)
    {
        var (total, failures, elapsed) = totals;
        var text = new StringBuilder();
        text.Append("## Simulation\n\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            ```sh
            dotnet run --project specs/RecoverKV.Simulation -c Release -- --seeds {first}..{last} --results specs/RESULTS.md
            ```


            """);
        void Row(string name, string value) =>
            text.Append("| ").Append(name).Append(" | ").Append(value).Append(" |\n");
        string Number(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
        Row("what", "figure");
        text.Append("|---|---|\n");
        Row("date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        Row("build", $"`{BuildId.Value}`");
        Row("seeds", $"{Number((long)first)} to {Number((long)last)}, {Number(total.Runs)} runs");
        Row("outcome", failures.Count == 0 ? "**no violation**" : $"**{failures.Count} with a violation**");
        Row("histories explained by the uids of the store, as a search would take too long", Number(total.Undecided));
        Row("simulated time", string.Create(CultureInfo.InvariantCulture,
            $"{total.Simulated.TotalHours:N1} hours in {elapsed.TotalMinutes:N1} minutes: "
            + $"{total.Simulated / elapsed:N0} hours an hour on {threads} threads of "
            + $"{Environment.ProcessorCount} cores"));
        Row("of real time", SeedRunner.Rates(total, elapsed));
        Row("writes, reads answered", $"{Number(total.Writes)}, {Number(total.Reads)}");
        Row("given up by their clients", Number(total.Unknown));
        Row("retries", Number(total.Retries));
        Row("uids committed", Number(total.Committed));
        Row("views", Number(total.Views));
        Row("messages lost", Number(total.MessagesLost));
        Row("members that started over", Number(total.StartedOver));
        Row("checkpoints", Number(total.Checkpoints));
        Row("facts forgotten", Number(total.Forgotten));
        Row("states transferred", Number(total.Transfers));
        text.Append("\n| fault | times |\n|---|---|\n");
        foreach (var kind in Enum.GetValues<Faults>().Where(f => f != Faults.None))
            Row(kind.ToString(), Number(total.Faults.GetValueOrDefault(kind)));
        if (failures.Count > 0)
        {
            text.Append("\n| seed | violation |\n|---|---|\n");
            foreach (var failure in failures.OrderBy(f => f.Seed))
                Row(
                    Number((long)failure.Seed),
                    failure.Violation!.Message.Split('\n')[0].Replace("|", "\\|", StringComparison.Ordinal));
        }

        return text.ToString();
    }
}
