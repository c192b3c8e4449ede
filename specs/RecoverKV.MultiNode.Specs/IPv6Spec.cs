using System.Globalization;
using Akka.Configuration;
using RecoverKV.Actors;
using RecoverKV.Client;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Nodes and clients that reach each other by IPv6.</summary>
public sealed class IPv6Spec
{
    [Fact]
    public async Task Nodes_and_clients_may_have_IPv6_addresses()
    {
        var folder = Directory.CreateTempSubdirectory("recoverkv-spec-");
        int[] ports = [Ports.Next(), Ports.Next(), Ports.Next()];
        // The ways in which one address may be written.
        string[] hosts = ["[::1]", "[0::1]", "[0:0:0:0:0:0:0:1]"];
        var members = string.Join(
            ", ", ports.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"\"n{i}@{hosts[i]}:{p}\"")));
        var nodes = new List<RecoverKvNode>();
        try
        {
            for (var i = 0; i < ports.Length; i++)
            {
                nodes.Add(await RecoverKvNode.StartAsync(ConfigurationFactory.ParseString($$"""
                    recoverkv {
                      node = n{{i}}
                      members = [{{members}}]
                      data = "{{folder.FullName}}/n{{i}}"
                    }
                    {{MemoryLogger.Hocon($"v6-{i}")}}
                    """)));
            }

            var options =
                new RecoverKvClientOptions { Deadline = TestCluster.Patience, ConnectTimeout = TestCluster.Patience };
            foreach (var contact in new[] { "[::1]", "[0::1]" })
            {
                await using var client = await RecoverKvClient.ConnectAsync(
                    [string.Create(CultureInfo.InvariantCulture, $"{contact}:{ports[0]}")], options);
                await client.PutAsync("key", contact);
                Assert.Equal(contact, (await client.GetAsync("key")).Text);
            }
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
