using System.Diagnostics;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>What was seen of one target.</summary>
/// <param name="Target">It.</param>
public sealed record Tally(Target Target)
{
    /// <summary>How many inputs it was given.</summary>
    public long Inputs { get; internal set; }

    /// <summary>How many of them it took.</summary>
    public long Taken { get; internal set; }

    /// <summary>The most bytes that it allocated for a byte of an input of at least 4 KiB.</summary>
    public double MostPerByte { get; internal set; }

    /// <summary>The longest time that an input took, pauses of the machine included.</summary>
    public TimeSpan Longest { get; internal set; }

    /// <summary>The first input that broke what is asked, and how.</summary>
    public (byte[] Input, string Problem)? Found { get; internal set; }
}

/// <summary>Gives one target inputs, one after the other, all of one seed. Not thread-safe.</summary>
public sealed class Fuzzer
{
    private readonly Mutator _mutator;

    /// <param name="target">What is fuzzed.</param>
    /// <param name="seed">The same seed gives the same inputs.</param>
    public Fuzzer(Target target, ulong seed)
    {
        var random = new Prng(seed);
        _mutator = new Mutator(random.Fork(), target);
        Tally = new Tally(target);
        // What is made once is not of an input's making; and an encoding that is refused would make all others
        // worthless.
        for (var i = 0; i < 20; i++) target.Decode(target.Valid(random));
    }

    /// <summary>What was seen so far.</summary>
    public Tally Tally { get; }

    /// <summary>Gives it so many inputs, or fewer until one breaks what is asked.</summary>
    /// <param name="count">How many.</param>
    /// <param name="before">Is shown each input first: a broken process cannot say what broke it.</param>
    public void Run(int count, Action<byte[]>? before = null)
    {
        for (var i = 0; i < count && Tally.Found is null; i++)
        {
            var input = _mutator.Next();
            before?.Invoke(input);
            var problem = Try(Tally.Target, input, Tally);
            if (problem is not null) Tally.Found = (input, problem);
        }
    }

    /// <summary>What is wrong with how a target took an input; null if nothing is.</summary>
    public static string? Try(Target target, byte[] input) => Try(target, input, new Tally(target));

    private static string? Try(Target target, byte[] input, Tally tally)
    {
        var start = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Decode(input);
            tally.Taken++;
        }
        catch (Exception e) when (target.Refuses(e))
        {
            // As it should be.
        }
        catch (Exception e)
        {
            return e.ToString();
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var took = Stopwatch.GetElapsedTime(start);
        tally.Inputs++;
        if (took > tally.Longest) tally.Longest = took;
        if (input.Length >= 4096) tally.MostPerByte = Math.Max(tally.MostPerByte, (double)allocated / input.Length);
        var most = target.Fixed + (long)target.PerByte * input.Length;
        return allocated <= most ? null : $"{allocated} bytes were allocated for {input.Length}; {most} are allowed";
    }
}
