using RecoverKV.Fuzz;

namespace RecoverKV.Specs.Fuzz;

/// <summary>Some seconds of what `specs/RecoverKV.Fuzz` does for minutes, always with the same inputs.</summary>
public sealed class FuzzSpec
{
    public static TheoryData<string> Names => [.. Targets.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void No_input_breaks_a_decoder(string name)
    {
        var target = Targets.All.Single(t => t.Name == name);
        var fuzzer = new Fuzzer(target, seed: 1);
        var count = name.StartsWith("settings", StringComparison.Ordinal) ? 150 : 800;

        fuzzer.Run(count);

        var tally = fuzzer.Tally;
        Assert.True(tally.Found is null, $"{tally.Found?.Problem}\n{Convert.ToBase64String(tally.Found?.Input ?? [])}");
        Assert.Equal(count, tally.Inputs);
        Assert.NotEqual(0, tally.Taken);
    }

    [Fact]
    public void The_same_seed_gives_the_same_inputs()
    {
        var target = Targets.All[0];
        List<string> Inputs()
        {
            var inputs = new List<string>();
            new Fuzzer(target, seed: 7).Run(200, input => inputs.Add(Convert.ToBase64String(input)));
            return inputs;
        }

        Assert.Equal(Inputs(), Inputs());
    }

    [Fact]
    public void An_exception_that_is_no_refusal_is_found() =>
        Assert.Contains(
            nameof(DivideByZeroException), Found(_ => throw new DivideByZeroException()), StringComparison.Ordinal);

    [Fact]
    public void Memory_beyond_what_is_allowed_is_found() =>
        Assert.Contains("allocated", Found(_ => GC.KeepAlive(new byte[200_000])), StringComparison.Ordinal);

    private static string? Found(Action<byte[]> decode) =>
        Fuzzer.Try(new Target("", _ => [], decode, e => e is FormatException), [1, 2, 3]);
}
