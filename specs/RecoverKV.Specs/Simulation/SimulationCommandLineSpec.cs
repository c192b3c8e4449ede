using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation;

namespace RecoverKV.Specs.Simulation;

/// <summary>The program of the simulator: bad input gets one line and exit code 2, which is not that of a
/// violation.</summary>
public class SimulationCommandLineSpec
{
    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        StringWriter output = new(), error = new();
        var code = new CommandLine(output, error).Run(arguments);
        return (code, output.ToString(), error.ToString());
    }

    [Theory]
    [InlineData("--seeds", "x")]
    [InlineData("--seeds", "1..x")]
    [InlineData("--seeds", "5..3")]
    [InlineData("--seeds", "1..2..3")]
    [InlineData("--seeds", "-1")]
    [InlineData("--seeds", "")]
    [InlineData("--seeds")]
    [InlineData("--trace", "x")]
    [InlineData("--trace", "1..2")]
    [InlineData("--trace", "99999999999999999999999")]
    [InlineData("--seeds", "1", "--faults", "Rain")]
    [InlineData("--seeds", "1", "--faults", "3")]
    [InlineData("--seeds", "1", "--bug", "NoSuchMistake")]
    [InlineData("--seeds", "1", "--bug", "1048576")]
    [InlineData("--seeds", "1", "--bug", "NoEpochGate OrphansKept")]
    [InlineData("--seeds", "1", "--threads", "0")]
    [InlineData("--seeds", "1", "--failures", "many")]
    [InlineData("--seeds", "1", "--results", "no/such/folder/page.md")]
    [InlineData("--seeds", "1", "--build", "abc")]
    [InlineData("--seeds", "1", "--trace", "1")]
    [InlineData("--trace", "1", "--results", "page.md")]
    [InlineData("--mutations", "--bug", "NoEpochGate")]
    [InlineData("--seeds", "1", "--bug", "NoEpochGate", "--results", "page.md")]
    [InlineData("--no-such-option")]
    [InlineData]
    public void Bad_input_gets_one_line_and_exit_code_2(params string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.True(error.Trim().Length > 10);
    }

    [Fact]
    public void A_page_that_is_cut_off_is_refused_before_the_run()
    {
        using var folder = new TemporaryFolder();
        var page = folder.File("page.md");
        File.WriteAllText(page, "<!-- begin simulation -->\nold results\n");
        var (code, output, error) = Run("--seeds", "1", "--results", page);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("has no end", error, StringComparison.Ordinal);
        Assert.Contains("old results", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_writes_its_section_of_the_page()
    {
        using var folder = new TemporaryFolder();
        var page = folder.File("page.md");
        File.WriteAllText(page, "<!-- begin chaos -->\nas it was\n<!-- end chaos -->\n");
        var (code, output, error) = Run("--seeds", "7..8", "--results", page);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2 runs, 0 failures", output, StringComparison.Ordinal);
        var text = File.ReadAllText(page);
        Assert.StartsWith(
            "<!-- begin chaos -->\nas it was\n<!-- end chaos -->\n\n<!-- begin simulation -->\n",
            text, StringComparison.Ordinal);
        Assert.Contains("--seeds 7..8 --results specs/RESULTS.md", text, StringComparison.Ordinal);
        Assert.Contains($"| build | `{BuildId.Value}` |", text, StringComparison.Ordinal);
        Assert.Contains("| seeds | 7 to 8, 2 runs |", text, StringComparison.Ordinal);
        Assert.Contains("| outcome | **no violation** |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_section_names_the_seeds_that_failed()
    {
        var failed = SeedRunner.RunOne(Scenario.Draw(1), Mutations.AcknowledgeBeforeDurable);
        var text = RunReport.Text(1, 3, 2, new Totals(failed.Statistics, [failed], TimeSpan.FromSeconds(1)));
        Assert.Contains("| outcome | **1 with a violation** |", text, StringComparison.Ordinal);
        Assert.Contains($"| 1 | {failed.Violation!.Property}: ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seed_of_another_build_is_run_and_named_as_one_that_may_not_repeat()
    {
        var (code, output, error) = Run("--trace", "1", "--build", "0123456789ab");
        Assert.Equal(
            $"seed 1 is of build 0123456789ab; this is build {BuildId.Value}, which may not repeat it", error.Trim());
        Assert.Equal(0, code);
        Assert.Contains("seed 1: all properties hold", output, StringComparison.Ordinal);

        Assert.Equal((0, output, ""), Run("--trace", "1", "--build", BuildId.Value));
    }

    [Fact]
    public void A_violation_is_exit_code_1_with_the_command_that_repeats_it()
    {
        var (code, output, error) = Run("--seeds", "1", "--bug", "AcknowledgeBeforeDurable");
        Assert.Equal((1, ""), (code, error));
        Assert.Contains(
            $"--trace 1 --build {BuildId.Value} --bug \"AcknowledgeBeforeDurable\"", output, StringComparison.Ordinal);

        (code, var trace, error) = Run("--trace", "1", "--build", BuildId.Value, "--bug", "AcknowledgeBeforeDurable");
        Assert.Equal((1, ""), (code, error));
        var property = output.Split('\n').Single(l => l.StartsWith("seed 1: ", StringComparison.Ordinal))[8..];
        Assert.Contains(property, trace, StringComparison.Ordinal);
    }

    [Fact]
    public void The_build_names_the_sources_of_core_state_client_and_simulator()
    {
        var sources = BuildId.Embedded().ToList();
        Assert.Matches("^[0-9a-f]{12}$", BuildId.Value);
        Assert.Equal(BuildId.Value, BuildId.Of(Enumerable.Reverse(sources)));
        Assert.Equal(BuildId.Value, BuildId.Of(sources.Select(s => (s.Name, s.Text.ReplaceLineEndings("\r\n")))));
        foreach (var name in sources.Select(s => s.Name))
            Assert.NotEqual(
                BuildId.Value, BuildId.Of(sources.Select(s => s.Name == name ? (s.Name, s.Text + " ") : s)));

        string[] Files(string folder, params string[] without) =>
        [
            .. Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
                .Where(f => !without.Concat(["obj", "bin"]).Any(w => f.Contains($"/{w}/", StringComparison.Ordinal)))
                .Select(f => Path.GetFileName(f)!),
        ];
        string[] files =
        [
            .. Files("RecoverKV.Actors/Protocol"),
            .. Files("RecoverKV.Actors/State"),
            .. Files("RecoverKV.Client", without: "Network"),
            .. Files("specs/RecoverKV.Simulation"),
        ];
        Assert.Equal(files.Order(), sources.Select(s => Path.GetFileName(s.Name)).Order());
    }
}
