using System.Diagnostics;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Simulation;

/// <summary>A known mistake that was found.</summary>
/// <param name="Mistake">The mistake.</param>
/// <param name="Seed">The lowest seed that meets it.</param>
/// <param name="Property">The property that it breaks there.</param>
/// <param name="WithoutIt">What is wrong with the same seed without the mistake: null, or the proof is none.</param>
/// <param name="Elapsed">How long the search took.</param>
internal sealed record FoundMistake(
    Mutations Mistake, int Seed, string Property, ViolationException? WithoutIt, TimeSpan Elapsed);

/// <summary>Puts each known mistake back, alone, and looks for the lowest seed that meets it.</summary>
internal static class MutationSearch
{
    /// <summary>A mistake that no seed up to this one meets is not found.</summary>
    public const int LastSeed = 2000;

    public static IReadOnlyList<Mutations> All { get; } =
        [.. Enum.GetValues<Mutations>().Where(m => m != Mutations.None)];

    /// <returns>Null if no seed meets it.</returns>
    public static FoundMistake? Find(Mutations mistake, int threads)
    {
        var watch = Stopwatch.StartNew();
        var lowest = Lowest(LastSeed, threads, seed => Run(seed, mistake));
        return lowest is var (seed, violation)
            ? new FoundMistake(mistake, seed, violation.Property, Run(seed, Mutations.None), watch.Elapsed)
            : null;
    }

    public static ViolationException? Run(int seed, Mutations mistake) =>
        SeedRunner.RunOne(Scenario.Draw((ulong)seed), mistake).Violation;

    /// <summary>The lowest seed of a run that finds something, whichever thread is the first to find one: seeds are
    /// begun in order, and all that are lower than one found are run to their end.</summary>
    public static (int Seed, T Found)? Lowest<T>(int last, int threads, Func<int, T?> run)
        where T : class
    {
        var gate = new Lock();
        var next = 1;
        (int Seed, T Found)? best = null;
        void Work()
        {
            while (true)
            {
                int seed;
                lock (gate)
                {
                    if (next > (best?.Seed ?? last)) return;
                    seed = next++;
                }

                if (run(seed) is not { } found) continue;
                lock (gate)
                {
                    if (best is null || seed < best.Value.Seed) best = (seed, found);
                }
            }
        }

        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(Work)).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        return best;
    }
}
