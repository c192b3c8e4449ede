using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Client;

public sealed class ScanSpec
{
    [Fact]
    public async Task A_scan_brings_every_key_once_in_order_page_by_page()
    {
        await using var cluster = new FakeCluster(3);
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 5300).Select(i => client.PutAsync($"k{i}", $"{i}")));

        var items = await AllAsync(client);

        Assert.Equal(
            Enumerable.Range(0, 5300).Select(i => $"k{i}").Order(StringComparer.Ordinal),
            items.Select(i => i.Key.ToString()));
        Assert.All(
            items,
            i => Assert.Equal(i.Key.ToString(), $"k{System.Text.Encoding.UTF8.GetString(i.Version.Value.Span)}"));
        var pages = cluster.Log.Where(l => l.Message is ScanRequest).ToList();
        Assert.Equal([512, 4096, 4096], pages.Select(p => ((ScanRequest)p.Message).MaxItems));
        Assert.Single(pages.Select(p => p.Node).Distinct());
    }

    [Fact]
    public async Task A_range_a_direction_a_limit_and_a_begin_behind_a_key_are_kept()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => client.PutAsync($"k{i:000}", "v")));
        async Task<string[]> Keys(ScanOptions options) =>
            [.. (await AllAsync(client, options)).Select(i => i.Key.ToString())];

        Assert.Equal(
            ["k110", "k111", "k112"], await Keys(new ScanOptions { Range = KeyRange.Prefix("k11"), Limit = 3 }));
        Assert.Equal(
            ["k119", "k118"],
            await Keys(new ScanOptions { Range = KeyRange.Prefix("k11"), Limit = 2, Reverse = true }));
        Assert.Equal(["k998", "k999"], await Keys(new ScanOptions { After = "k997" }));
        Assert.Equal(["k000"], await Keys(new ScanOptions { After = "k001", Reverse = true }));
        Assert.Equal(
            ["k005"], await Keys(new ScanOptions { Range = KeyRange.Between("k003", "k006"), After = "k004" }));
        Assert.Equal(["k003"], await Keys(new ScanOptions { Range = KeyRange.Between("k003", "k004"), After = "a" }));
        Assert.Equal(600, (await Keys(new ScanOptions { Limit = 600 })).Length);
        cluster.Log.Clear();
        Assert.Empty(await Keys(new ScanOptions { Limit = 0 }));
        Assert.Empty(await Keys(new ScanOptions { Range = KeyRange.Between("a", "a") }));
        Assert.DoesNotContain(cluster.Log, l => l.Message is ScanRequest);
    }

    [Fact]
    public async Task A_range_that_ends_before_its_begin_and_a_negative_limit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => KeyRange.Between("b", "a"));
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        Assert.Throws<ArgumentOutOfRangeException>(() => client.ScanAsync(new ScanOptions { Limit = -1 }));
    }

    [Fact]
    public async Task The_first_page_comes_from_another_node_if_one_is_not_alive()
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync();
        await client.PutAsync("k", "v");
        string? refused = null;
        cluster.Intercept = (node, message, reply) =>
        {
            if (message is not ScanRequest request || refused is not null) return false;
            refused = node.Id;
            reply(new ScanReply(request.Id, ReadStatus.NotAlive, [], default, cluster.View()));
            return true;
        };

        Assert.Single(await AllAsync(client));
        Assert.NotEqual(refused, cluster.Log.Last(l => l.Message is ScanRequest).Node);
    }

    [Theory]
    [InlineData(ReadStatus.NotAlive)]
    [InlineData(ReadStatus.Busy)]
    [InlineData(null)]
    public async Task A_scan_goes_on_at_another_node_where_one_leaves_off(ReadStatus? answer)
    {
        await using var cluster = new FakeCluster(2);
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => client.PutAsync($"k{i:000}", "v")));
        string? left = null;
        cluster.Intercept = (node, message, reply) =>
        {
            if (message is not ScanRequest { Cursor.IsEmpty: false } request || (left ??= node.Id) != node.Id)
                return false;
            if (answer is { } status) reply(new ScanReply(request.Id, status, [], default));
            return true;
        };

        Assert.Equal(
            Enumerable.Range(0, 600).Select(i => $"k{i:000}"), (await AllAsync(client)).Select(i => i.Key.ToString()));
        Assert.NotEqual(left, cluster.Log.Last(l => l.Message is ScanRequest).Node);
    }

    [Fact]
    public async Task A_scan_that_no_other_node_can_go_on_with_must_start_over()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => client.PutAsync($"k{i}", "v")));
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not ScanRequest { Cursor.IsEmpty: false } request) return false;
            reply(new ScanReply(request.Id, ReadStatus.CursorLost, [], default));
            return true;
        };

        var seen = 0;
        var e = await Assert.ThrowsAsync<NotDoneException>(async () =>
        {
            await foreach (var _ in client.ScanAsync()) seen++;
        });

        Assert.Equal(512, seen);
        Assert.EndsWith("start it over.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_knows_no_ranges_is_not_believed()
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        cluster.Intercept = (_, message, reply) =>
        {
            if (message is not ScanRequest request) return false;
            reply(new ScanReply(
                request.Id, ReadStatus.Done,
                [new ScanItem("b", new Version(default, 2)), new ScanItem("a", new Version(default, 3))], default));
            return true;
        };

        foreach (var options in new[] { new ScanOptions(), new ScanOptions { Range = KeyRange.Prefix("a") } })
        {
            var e = await Assert.ThrowsAsync<NotDoneException>(() => AllAsync(client, options));
            Assert.Contains("a node knows no ranges", e.Message, StringComparison.Ordinal);
        }
    }

    private static async Task<List<ScanItem>> AllAsync(RecoverKvClient client, ScanOptions? options = null)
    {
        var items = new List<ScanItem>();
        await foreach (var item in client.ScanAsync(options)) items.Add(item);
        return items;
    }
}
