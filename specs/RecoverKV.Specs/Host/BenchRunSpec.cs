using System.Text.Json;
using RecoverKV.Client.Contracts;
using RecoverKV.Host;
using RecoverKV.Specs.Client;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Host;

/// <summary>Whole benchmarks, against gateways in this process and against nodes of their own.</summary>
public sealed class BenchRunSpec
{
    [Theory]
    [InlineData("simple", "--count", "50")]
    [InlineData("multi", "--count", "500", "--callers", "20", "--warmup", "0.05")]
    [InlineData("multi", "--count", "101", "--callers", "7", "--processes", "2")]
    public async Task Puts_and_gets_are_counted_and_read_back(
        string bench, string option, string count, params string[] more)
    {
        await using var cluster = new FakeCluster();
        var (code, report, _) = await RunAsync(cluster, [bench, option, count, .. more]);
        Assert.Equal(0, code);
        foreach (var operation in report.GetProperty("operations").EnumerateArray())
            Assert.Equal(count, $"{operation.GetProperty("count")}");
        Assert.Equal(count, $"{report.GetProperty("check").GetProperty("readBack")}");
    }

    [Theory]
    [InlineData("--reads", "0.5")]
    [InlineData("--distribution", "uniform", "--rate", "500")]
    public async Task A_mixed_load_counts_both_kinds_and_their_sum(params string[] options)
    {
        await using var cluster = new FakeCluster();
        var (code, report, _) = await RunAsync(
            cluster, ["mixed", "--keys", "40", "--callers", "8", "--duration", "0.2", .. options]);
        Assert.Equal(0, code);
        var counts = report.GetProperty("operations").EnumerateArray()
            .ToDictionary(o => o.GetProperty("name").GetString()!, o => o.GetProperty("count").GetInt64());
        Assert.Equal(counts["puts"] + counts["gets"], counts["all"]);
        Assert.True(counts["gets"] > 0);
        Assert.Equal(40, report.GetProperty("check").GetProperty("readBack").GetInt64());
    }

    [Theory]
    [InlineData("multi", "--count", "50", "--callers", "5")]
    [InlineData("mixed", "--keys", "20", "--callers", "5", "--duration", "0.2", "--reads", "0.5")]
    public async Task A_store_that_loses_a_write_is_found_out(params string[] args)
    {
        await using var cluster = new FakeCluster();
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not ReadBatch batch) return false;
            reply(new ReadReplies([.. batch.Reads.Select(r => Forget(cluster.Read(r), r))]));
            return true;
        };
        var (code, report, error) = await RunAsync(cluster, args);
        Assert.Equal(1, code);
        Assert.True(report.GetProperty("check").GetProperty("wrong").GetInt64() > 0);
        Assert.Contains("reads were wrong: bench/0000000007", error, StringComparison.Ordinal);

        static ReadAnswer Forget(ReadAnswer answer, Read read) =>
            read.Keys[0] == "bench/0000000007" ? answer with { Versions = new Version?[] { null } } : answer;
    }

    [Fact]
    public async Task A_node_of_its_own_is_killed_comes_back_and_leaves_nothing_behind()
    {
        using var data = new TemporaryFolder();
        using var terminal = new TestTerminal();
        var code = await Cli.RunAsync(
            [
                "bench", "recovery", "--count", "300", "--more", "100", "--callers", "10", "--data", data.Path,
                "--json", "-"
            ],
            terminal.Terminal);
        Assert.Equal((0, ""), (code, terminal.Error));
        using var json = JsonDocument.Parse(terminal.Output);
        var node = json.RootElement.GetProperty("recoveries")[0];
        var parts = new[] { "listens", "replayed", "complete", "alive" }
            .Select(p => node.GetProperty(p).GetDouble()).ToArray();
        Assert.True(parts[0] > 0);
        Assert.Equal(parts.Order(), parts);
        Assert.Equal(400, json.RootElement.GetProperty("check").GetProperty("readBack").GetInt64());
        Assert.All(
            json.RootElement.GetProperty("nodes").EnumerateArray(),
            n => Assert.True(n.GetProperty("residentBytes").GetInt64() > 0));
        Assert.Empty(Directory.GetFileSystemEntries(data.Path));
    }

    [Fact]
    public async Task A_node_that_is_to_stay_down_is_down_at_the_end_and_nothing_acknowledged_is_lost()
    {
        using var data = new TemporaryFolder();
        using var terminal = new TestTerminal();
        var code = await Cli.RunAsync(
            [
                "bench", "multi", "--count", "2000", "--callers", "10", "--warmup", "0", "--kill", "replica",
                "--stay-down", "--data", data.Path, "--json", "-",
            ],
            terminal.Terminal);
        Assert.Equal((0, ""), (code, terminal.Error));
        using var json = JsonDocument.Parse(terminal.Output);
        var killed = json.RootElement.GetProperty("kill").GetProperty("node").GetString();
        Assert.All(
            json.RootElement.GetProperty("nodes").EnumerateArray(),
            n => Assert.Equal(
                n.GetProperty("node").GetString() == killed, n.GetProperty("residentBytes").GetInt64() == 0));
        Assert.Equal(2000, json.RootElement.GetProperty("check").GetProperty("readBack").GetInt64());
    }

    private static async Task<(int Code, JsonElement Report, string Error)> RunAsync(FakeCluster cluster, string[] args)
    {
        using var terminal = new TestTerminal();
        var warmUp = args.Contains("--warmup") ? [] : new[] { "--warmup", "0" };
        var code = await Cli.RunAsync(
            ["bench", .. args, .. warmUp, "--contact", string.Join(',', cluster.ContactPoints), "--json", "-"],
            terminal.Terminal);
        Assert.False(terminal.Output.Length == 0, terminal.Error);
        return (code, JsonSerializer.Deserialize<JsonElement>(terminal.Output), terminal.Error);
    }
}
