using RecoverKV.Client;
using RecoverKV.Host;
using RecoverKV.Specs.Client;

namespace RecoverKV.Specs.Host;

public sealed class ScanCommandSpec
{
    [Theory]
    [InlineData("a\t1\nab\t2\nb\t3\n")]
    [InlineData("a\t1\nab\t2\n", "a")]
    [InlineData("ab\nb\n", "--from", "ab", "--keys")]
    [InlineData("b\nab\n", "--reverse", "--limit", "2", "--keys")]
    [InlineData("b\n", "--after", "ab", "--keys")]
    [InlineData("6162\t32\n", "6162", "--hex")]
    [InlineData("{\"key\":\"b\",\"value\":\"3\"}\n", "b", "--format", "ndjson")]
    [InlineData("", "c")]
    [InlineData("", "--limit", "0")]
    public async Task What_is_asked_for_is_printed_in_order_and_no_reserved_key(string expected, params string[] words)
    {
        await using var cluster = new FakeCluster();
        using var terminal = new TestTerminal();
        foreach (var (key, value) in new[] { ("b", "3"), ("ab", "2"), ("a", "1") }) await RunAsync("put", key, value);
        await using (var endpoint = await RecoverKvClient.ConnectAsync(
            cluster.ContactPoints, new RecoverKvClientOptions { WritesReservedKeys = true }))
        {
            await endpoint.PutAsync(ReservedKeys.OfClient("x"), "n1");
        }

        Assert.Equal(
            0, await Cli.RunAsync(["scan", .. words, "--contact", cluster.ContactPoints[0]], terminal.Terminal));
        Assert.Equal((expected, ""), (terminal.Output, terminal.Error));

        async Task RunAsync(params string[] args)
        {
            using var other = new TestTerminal();
            Assert.Equal(0, await Cli.RunAsync([.. args, "--contact", cluster.ContactPoints[0]], other.Terminal));
        }
    }
}
