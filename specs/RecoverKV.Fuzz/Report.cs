using System.Globalization;
using System.Text;

namespace RecoverKV.Fuzz;

/// <summary>What was found, in words.</summary>
internal static class Report
{
    public static string Line(Tally tally) => string.Create(CultureInfo.InvariantCulture,
        $"{(tally.Found is null ? "ok   " : "FOUND")} {tally.Target.Name}: {tally.Inputs:N0} inputs, "
        + $"{tally.Taken:N0} taken, "
        + $"at most {tally.MostPerByte:N0} bytes a byte, {tally.Longest.TotalMilliseconds:N0} ms");

    public static string Found(Tally tally)
    {
        var (input, problem) = tally.Found!.Value;
        return $"{tally.Target.Name}: an input of {input.Length} bytes: {problem}\n{Text(input)}";
    }

    /// <summary>Base64, as a spec takes it; of a long one the beginning.</summary>
    public static string Text(byte[] input) => input.Length <= 64 * 1024
        ? Convert.ToBase64String(input)
        : Convert.ToBase64String(input.AsSpan(0, 1024)) + "...";

    public static string Page(IReadOnlyList<Tally> tallies, double minutes, ulong seed)
    {
        var found = tallies.Where(t => t.Found is not null).ToList();
        var page = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
            $"""
            ## Fuzzing

            ```sh
            dotnet run --project specs/RecoverKV.Fuzz -c Release -- --minutes {minutes} --seed {seed} --results specs/RESULTS.md
            ```

            Valid encodings with bytes changed, cut out, doubled, put in, with extreme numbers and lengths, up to 1 MiB, for
            every decoder that bytes from outside reach. An input may be taken or refused. It may not end in another exception,
            end or hang the process, or allocate more than a fixed amount and a multiple of its length.

            | what | figure |
            |---|---|
            | date | {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC |
            | outcome | **{(found.Count == 0 ? "nothing found" : string.Join(", ", found.Select(t => t.Target.Name)))}** |

            | decoder | inputs | of these taken | bytes allocated for a byte, at most | allowed | longest, ms |
            |---|---|---|---|---|---|

            """));
        foreach (var t in tallies)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"| {t.Target.Name} | {t.Inputs:N0} | {t.Taken:N0} | {t.MostPerByte:N1} | {t.Target.PerByte:N0} | "
                + $"{t.Longest.TotalMilliseconds:N0} |\n");
        }

        return page.ToString();
    }
}
