using System.Text;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>A cluster whose nodes and clients know each other by certificates.</summary>
public sealed class TlsSpec
{
    [Fact]
    public async Task Certificates_are_exchanged_under_load_and_no_call_fails()
    {
        await using var cluster = await TestCluster.StartAsync(3, tls: true);
        await using var load = Load.Start(cluster);
        await using var client = await RecoverKvClient.ConnectAsync(
            cluster.Nodes.Select(n => $"{n.Host}:{n.Port}"), new RecoverKvClientOptions { Tls = cluster.Tls!.Client });
        for (var round = 0; round < 3; round++)
        {
            cluster.Tls.Exchange();
            await load.ProceedAsync(100);
            // Connections that are made now are between old and new ones.
            var node = cluster.Nodes[round];
            await node.CrashAsync();
            var (key, value) = (new Key($"round{round}"), Encoding.UTF8.GetBytes($"{round}"));
            cluster.Ledger.Attempt(key, value);
            cluster.Ledger.Acknowledge(key, (await client.PutAsync(key, value)).Uid);
            await load.ProceedAsync(100);
            await cluster.StartAsync(node);
            await cluster.WaitUntilAsync("all nodes are ALIVE", s => cluster.Nodes.All(s.IsAlive));
            Assert.Equal($"{round}", (await client.GetAsync(key)).Text);
        }

        await load.StopAsync();
        await cluster.AssertAllEqualAsync();
    }

    [Fact]
    public async Task Who_shows_no_certificate_or_another_authoritys_is_told_so()
    {
        await using var cluster = await TestCluster.StartAsync(1, tls: true);
        var folder = Directory.CreateTempSubdirectory("recoverkv-spec-");
        var stranger = new TestTls(folder.FullName, ["n1"]).Client;
        var own = cluster.Tls!.Client;
        foreach (var (tls, why) in new[]
        {
            (null, "speaks TLS only"),
            (new TlsOptions { Authority = own.Authority }, "clients must show a certificate"),
            (stranger, "n1): it is of no authority that is known here"),
            (stranger with { Authority = own.Authority }, "client): it is of no authority that is known here"),
        })
        {
            var options = new RecoverKvClientOptions { Tls = tls, ConnectTimeout = TimeSpan.FromSeconds(2) };
            var failure = await Assert.ThrowsAsync<NotDoneException>(
                () => RecoverKvClient.ConnectAsync([$"{cluster.Nodes[0].Host}:{cluster.Nodes[0].Port}"], options));
            Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }
}
