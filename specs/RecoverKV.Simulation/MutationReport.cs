using System.Globalization;
using System.Text;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation;

/// <summary>Searches for every known mistake; says what found it, on the screen, as lines of MutationSpec and as a
/// section of <see cref="ResultsPage"/>.</summary>
internal static class MutationReport
{
    public const string Section = "mutations";

    /// <summary>The file that keeps the seeds.</summary>
    public const string Spec = "specs/RecoverKV.Specs/Simulation/MutationSpec.cs";

    public const string Command = "dotnet run --project specs/RecoverKV.Simulation -c Release -- --mutations";

    /// <returns>Whether every mistake was found, by a seed that holds without it.</returns>
    public static bool Run(int threads, TextWriter output, Action<string>? write)
    {
        var all = new List<(Mutations Mistake, FoundMistake? Found)>();
        foreach (var mistake in MutationSearch.All)
        {
            var found = MutationSearch.Find(mistake, threads);
            all.Add((mistake, found));
            output.WriteLine(Line(mistake, found));
        }

        output.WriteLine($"\nfor the table of {Spec}:\n");
        foreach (var found in all.Select(m => m.Found).OfType<FoundMistake>()) output.WriteLine(SpecLine(found));
        write?.Invoke(Text(all, threads));
        return all.All(m => m.Found is { WithoutIt: null });
    }

    internal static string SpecLine(FoundMistake found) =>
        $"        {{ nameof(Mutations.{found.Mistake}), {found.Seed}, \"{found.Property}\" }},";

    internal static string Text(IReadOnlyList<(Mutations Mistake, FoundMistake? Found)> all, int threads)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ## Known mistakes, put back

            ```sh
            {Command} --results specs/RESULTS.md
            ```

            {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, build `{BuildId.Value}`, seeds 1 to {MutationSearch.LastSeed} on {threads} threads: **{all.Count(m => m.Found is { WithoutIt: null })} of {all.Count} found**

            | mistake | lowest seed | property that fails | found after |
            |---|---|---|---|

            """);
        foreach (var (mistake, found) in all)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {mistake} | {found?.Seed.ToString(CultureInfo.InvariantCulture) ?? "none"} ");
            text.Append(found is null ? "| | |\n" : $"| {What(found)} | {Seconds(found)} |\n");
        }

        return text.ToString();
    }

    private static string Line(Mutations mistake, FoundMistake? found) => found is null
        ? $"{mistake,-24} NOT FOUND in seeds 1 to {MutationSearch.LastSeed}"
        : $"{mistake,-24} seed {found.Seed,4}  {Seconds(found),8}  {What(found)}";

    private static string What(FoundMistake found) => found.WithoutIt is { } violation
        ? $"NO PROOF: without the mistake, too: {violation.Property}"
        : found.Property;

    private static string Seconds(FoundMistake found) =>
        found.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture) + " s";
}
