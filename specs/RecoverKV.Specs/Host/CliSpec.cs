using RecoverKV.Host;

namespace RecoverKV.Specs.Host;

public sealed class CliSpec
{
    [Theory]
    [InlineData("bogus")]
    [InlineData("put")]
    [InlineData("put", "key")]
    [InlineData("put", "", "value")]
    [InlineData("put", "key", "value", "more")]
    [InlineData("put", "key", "value", "--bogus")]
    [InlineData("put", "key", "value", "--timeout", "soon")]
    [InlineData("put", "key", "value", "--timeout", "0")]
    [InlineData("put", "key", "value", "--timeout", "NaN")]
    [InlineData("put", "key", "value", "--contact", "nowhere")]
    [InlineData("put", "key", "value", "--timeout", "1e-9")]
    [InlineData("put", "key", "value", "--timeout", "1e300")]
    [InlineData("put", "key", "value", "--timeout", "Infinity")]
    [InlineData("put", "key", "value", "--timeout", "-1")]
    [InlineData("put", "key", "value", "--timeout", "")]
    [InlineData("put", "key", "value", "--file", "file")]
    [InlineData("put", "zz", "00", "--hex")]
    [InlineData("put", "00", "0", "--hex")]
    [InlineData("get", "abc", "--hex")]
    [InlineData("get", "key", "--contact", "host:0")]
    [InlineData("get", "key", "--contact", "a b:1")]
    [InlineData("get", "key", "--contact", "http://host:1")]
    [InlineData("get", "key", "--contact", "[::1")]
    [InlineData("get", "key", "--contact", "[]:1")]
    [InlineData("get", "key", "--contact", "a..b:1")]
    [InlineData("check", "--grpc", "a b:1")]
    [InlineData("stop", "")]
    [InlineData("get", "key", "--contact", "host:65536")]
    [InlineData("get", "key", "--contact", ",")]
    [InlineData("cas", "key", "value")]
    [InlineData("cas", "key", "value", "--uid", "0")]
    [InlineData("cas", "key", "value", "--uid", "x")]
    [InlineData("cas", "key", "value", "--uid", "3", "--absent")]
    [InlineData("partition", "node1", "--off", "--reachable", "node2")]
    [InlineData("load")]
    [InlineData("load", "")]
    [InlineData("load", "/")]
    [InlineData("load", "/no/such/file")]
    [InlineData("load", "file", "--format", "xml")]
    [InlineData("scan", "a", "--from", "b")]
    [InlineData("scan", "a", "--to", "b")]
    [InlineData("scan", "--from", "b", "--to", "a")]
    [InlineData("scan", "--from", "")]
    [InlineData("scan", "--limit", "-1")]
    [InlineData("scan", "--limit", "x")]
    [InlineData("scan", "zz", "--hex")]
    [InlineData("scan", "--after", "0", "--hex")]
    [InlineData("dump", "")]
    [InlineData("dump", "/")]
    [InlineData("node")]
    [InlineData("node", "--config", "")]
    [InlineData("node", "--config", "/")]
    [InlineData("node", "--config", "/dev/null")]
    [InlineData("node", "--config", "/no/such/file.conf")]
    [InlineData("up", "--nodes", "0")]
    [InlineData("up", "--nodes", "many")]
    [InlineData("up", "--port", "70000")]
    [InlineData("up", "--grpc-port", "70000")]
    [InlineData("up", "--data", "")]
    [InlineData("up", "--set", "nonsense")]
    [InlineData("up", "--set", "recoverkv.nonsense=1", "--data", "/no/such/folder", "--fresh")]
    [InlineData("bench", "simple", "--json", "")]
    [InlineData("bench", "simple", "--json", "/")]
    [InlineData("up", "--set", "a b=1")]
    public async Task Wrong_usage_gets_one_line_and_exit_code_2(params string[] args)
    {
        using var terminal = new TestTerminal();
        Assert.Equal(2, await Cli.RunAsync(args, terminal.Terminal));
        Assert.Equal("", terminal.Output);
        Assert.StartsWith("recoverkv: ", terminal.Error, StringComparison.Ordinal);
        Assert.Equal(1, terminal.Error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("put", "--help")]
    [InlineData("--version")]
    public async Task Help_and_version_are_no_errors(params string[] args)
    {
        using var terminal = new TestTerminal();
        Assert.Equal(0, await Cli.RunAsync(args, terminal.Terminal));
        Assert.Equal("", terminal.Error);
        Assert.NotEqual("", terminal.Output);
    }
}
