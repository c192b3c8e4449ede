using System.Globalization;
using System.Text;

namespace RecoverKV.Chaos.Moments;

/// <summary>The results of a run as a section of the results page.</summary>
internal static class MomentsReport
{
    /// <summary>The section's name.</summary>
    public const string Section = "moments";

    public static string Text(MomentsOptions options, MomentsResult result)
    {
        var text = new StringBuilder();
        var outcome = result.Violation?.Replace("|", "\\|", StringComparison.Ordinal)
            ?? "nothing lost, nothing left behind";
        var inTime = result.Rounds.Count(r => r.Moment.InTime);
        var durations = result.Durations.OrderBy(d => d.Key).Select(d => string.Create(
            CultureInfo.InvariantCulture, $"{d.Key.ToString().ToLowerInvariant()} {d.Value.TotalSeconds:F2} s"));
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Moments

            ```sh
            dotnet run --project specs/RecoverKV.Chaos -c Release -- moments --minutes {options.Time.TotalMinutes:0.##} --seed {options.Seed} --results specs/RESULTS.md
            ```

            Three nodes of {options.Keys:N0} keys that make checkpoints and forget all the time, and {NumberedWrites.Callers} callers that write.
            At a moment of an operation, drawn from the whole time that it takes, a process is killed with kill -9, or a disk is full
            for some seconds. After each all nodes are ALIVE again by themselves, all keys are read back and compared with what was
            acknowledged, the replicas are equal, and nothing is left in the folders.

            | what | figure |
            |---|---|
            | date | {result.Began:yyyy-MM-dd HH:mm} UTC |
            | outcome | **{outcome}** |
            | time | {result.Took.TotalMinutes:F1} minutes |
            | rounds | {result.Rounds.Count:N0}, of which {inTime:N0} while the operation was under way |
            | writes acknowledged, of unknown outcome | {result.Acknowledged:N0}, {result.Unknown:N0} |
            | keys read back | {result.Read:N0} |
            | replicas compared at the same uid | {result.Compared:N0} |
            | nodes started from a backup and compared | {result.Started:N0} |
            | largest data folder | {result.Largest >> 20:N0} MiB |
            | each takes, at the last measurement | {string.Join(", ", durations)} |

            | what came | rounds | under way | all ALIVE after, in seconds: median | max |
            |---|---|---|---|---|

            """);
        foreach (var group in result.Rounds.GroupBy(r => r.Kind).OrderBy(g => g.Key))
        {
            double[] well = [.. group.Select(r => r.Well.TotalSeconds).Order()];
            text.Append(CultureInfo.InvariantCulture, $"| {group.Key.Describe()} | {well.Length} ");
            text.Append(CultureInfo.InvariantCulture, $"| {group.Count(r => r.Moment.InTime)} ");
            text.Append(CultureInfo.InvariantCulture, $"| {well[(well.Length - 1) / 2]:F1} | {well[^1]:F1} |\n");
        }

        return text.ToString();
    }
}
