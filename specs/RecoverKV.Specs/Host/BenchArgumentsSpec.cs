using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

public sealed class BenchArgumentsSpec
{
    [Theory]
    [InlineData("bench")]
    [InlineData("bench", "bogus")]
    [InlineData("bench", "simple", "--count", "0")]
    [InlineData("bench", "simple", "--warmup", "-1")]
    [InlineData("bench", "multi", "--callers", "0")]
    [InlineData("bench", "multi", "--callers", "many")]
    [InlineData("bench", "multi", "--count", "-1")]
    [InlineData("bench", "multi", "--value-size", "15")]
    [InlineData("bench", "multi", "--key-size", "15")]
    [InlineData("bench", "multi", "--processes", "0")]
    [InlineData("bench", "multi", "--processes", "3", "--callers", "2")]
    [InlineData("bench", "multi", "--processes", "5", "--count", "4")]
    [InlineData("bench", "multi", "--processes", "2", "--kill")]
    [InlineData("bench", "multi", "--kill", "everyone")]
    [InlineData("bench", "multi", "--stay-down")]
    [InlineData("bench", "multi", "--durability", "none")]
    [InlineData("bench", "multi", "--set", "recoverkv.lease=-1s")]
    [InlineData("bench", "multi", "--json", "/no/such/folder/report.json")]
    [InlineData("bench", "multi", "--html", "/no/such/folder/report.html")]
    [InlineData("bench", "multi", "--data", "/dev/null/folder")]
    [InlineData("bench", "mixed", "--reads", "1.01")]
    [InlineData("bench", "mixed", "--reads", "-0.1")]
    [InlineData("bench", "mixed", "--reads", "NaN")]
    [InlineData("bench", "mixed", "--rate", "-5")]
    [InlineData("bench", "mixed", "--rate", "0")]
    [InlineData("bench", "mixed", "--duration", "0")]
    [InlineData("bench", "mixed", "--keys", "0")]
    [InlineData("bench", "mixed", "--distribution", "normal")]
    [InlineData("bench", "mixed", "--theta", "1")]
    [InlineData("bench", "mixed", "--distribution", "uniform", "--theta", "0.9")]
    [InlineData("bench", "recovery", "--all", "--more", "5")]
    [InlineData("bench", "recovery", "--contact", "127.0.0.1:1")]
    [InlineData("bench", "simple", "--kill", "--contact", "127.0.0.1:1")]
    [InlineData("bench", "multi", "--durability", "os", "--contact", "127.0.0.1:1")]
    [InlineData("bench", "multi", "--data", "folder", "--contact", "127.0.0.1:1")]
    [InlineData("bench", "multi", "--contact", "nowhere")]
    public async Task Impossible_arguments_get_one_line_and_exit_code_2(params string[] args)
    {
        using var terminal = new TestTerminal();
        Assert.Equal(2, await Cli.RunAsync(args, terminal.Terminal));
        Assert.Equal("", terminal.Output);
        Assert.StartsWith("recoverkv: ", terminal.Error, StringComparison.Ordinal);
        Assert.Equal(1, terminal.Error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task A_cluster_that_is_not_there_gets_one_line_and_exit_code_3()
    {
        using var terminal = new TestTerminal();
        string[] args = ["bench", "multi", "--contact", "127.0.0.1:1", "--timeout", "0.2"];
        Assert.Equal(3, await Cli.RunAsync(args, terminal.Terminal));
        Assert.Equal("", terminal.Output);
        Assert.Equal(
            "recoverkv: not done: No node answered at 127.0.0.1:1 within 0.2 s: Connection refused.\n", terminal.Error);
    }

    [Fact]
    public async Task A_worker_that_is_started_by_hand_says_so()
    {
        using var terminal = new TestTerminal("hello\n");
        Assert.Equal(2, await Cli.RunAsync(["bench", "worker"], terminal.Terminal));
    }
}
