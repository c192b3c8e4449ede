using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

public sealed class ScanSpecs
{
    [Fact]
    public async Task A_scan_brings_every_key_once_page_by_page_from_one_node()
    {
        await using var cluster = new FakeCluster(3);
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 1300).Select(i => client.PutAsync($"k{i}", $"{i}")));

        var items = await AllAsync(client);

        Assert.Equal(Enumerable.Range(0, 1300).Select(i => $"k{i}={i}").Order(),
            items.Select(i => $"{i.Key}={System.Text.Encoding.UTF8.GetString(i.Version.Value.Span)}").Order());
        var pages = cluster.Log.Where(l => l.Message is ScanRequest).ToList();
        Assert.Equal(3, pages.Count);
        Assert.Single(pages.Select(p => p.Node).Distinct());
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
    [InlineData(ReadStatus.CursorLost)]
    [InlineData(null)]
    public async Task A_scan_whose_node_restarts_or_dies_must_start_over(ReadStatus? answer)
    {
        await using var cluster = new FakeCluster();
        await using var client = await cluster.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => client.PutAsync($"k{i}", "v")));
        cluster.Intercept = (_, message, reply) =>
        {
            if (answer is null && cluster.Log.Any(l => l.Message is ScanRequest { Cursor.IsEmpty: false })) return true;
            if (message is not ScanRequest { Cursor.IsEmpty: false } request) return false;
            reply(new ScanReply(request.Id, answer!.Value, [], default));
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

    private static async Task<List<ScanItem>> AllAsync(RecoverKvClient client)
    {
        var items = new List<ScanItem>();
        await foreach (var item in client.ScanAsync()) items.Add(item);
        return items;
    }
}
