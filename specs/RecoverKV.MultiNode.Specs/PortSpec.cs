using Akka.Configuration;
using RecoverKV.Actors;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>A port has one listener: two of them would share its connections.</summary>
public sealed class PortSpec
{
    [Fact]
    public async Task A_second_node_cannot_listen_at_the_port_of_the_first()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var first = cluster.Nodes[0];
        var folder = Directory.CreateTempSubdirectory("recoverkv-spec-");
        try
        {
            var e = await Assert.ThrowsAnyAsync<NodeFailedException>(
                () => RecoverKvNode.StartAsync(ConfigurationFactory.ParseString($$"""
                recoverkv {
                  node = {{first.Name}}
                  members = ["{{first.Name}}@{{first.Host}}:{{first.Port}}"]
                  data = "{{folder.FullName}}"
                }
                {{MemoryLogger.Hocon("second")}}
                """)));
            Assert.StartsWith(
                $"{first.Name} cannot listen on {first.Host}:{first.Port}: ", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.Equal(NodeMode.Alive, (await cluster.StatusesAsync())[first]?.Mode);
    }
}
