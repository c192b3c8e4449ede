using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Configuration;
using RecoverKV.Actors;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Nodes and clients between which addresses are changed, in both directions: nobody sees where the other side
/// really is, and where it seems to be nobody listens.</summary>
public sealed class AddressTranslationSpec
{
    [Fact]
    public async Task Nodes_and_clients_work_behind_address_translation()
    {
        var folder = Directory.CreateTempSubdirectory("recoverkv-spec-");
        using var end = new CancellationTokenSource();
        var nodes = Enumerable.Range(1, 3)
            .Select(i => (Name: $"n{i}", Bound: Ports.Next(), Seen: Ports.Next())).ToArray();
        var relays = nodes.Select(n => RelayAsync(n.Seen, n.Bound, end.Token)).ToArray();
        var members = string.Join(
            ", ", nodes.Select(n => string.Create(CultureInfo.InvariantCulture, $"\"{n.Name}@127.0.0.1:{n.Seen}\"")));
        var running = new List<RecoverKvNode>();
        try
        {
            foreach (var node in nodes)
            {
                running.Add(await RecoverKvNode.StartAsync(ConfigurationFactory.ParseString($$"""
                    recoverkv {
                      node = {{node.Name}}
                      members = [{{members}}]
                      bind.port = {{node.Bound}}
                      data = "{{folder.FullName}}/{{node.Name}}"
                    }
                    {{MemoryLogger.Hocon($"nat-{node.Name}")}}
                    """)));
            }

            var options =
                new RecoverKvClientOptions { Deadline = TestCluster.Patience, ConnectTimeout = TestCluster.Patience };
            await using var client = await RecoverKvClient.ConnectAsync(
                [string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{nodes[0].Seen}")], options);
            for (var i = 0; i < 100; i++) await client.PutAsync($"key{i}", $"{i}");
            for (var i = 0; i < 100; i++) Assert.Equal($"{i}", (await client.GetAsync($"key{i}")).Text);
            for (var patience = new Deadline(); ; Assert.False(patience.IsOver, "not all nodes are ALIVE"))
                if ((await client.GetStatusAsync()).Nodes.All(n => n.Mode == NodeMode.Alive)) break;
        }
        finally
        {
            foreach (var node in running) await node.DisposeAsync();
            await end.CancelAsync();
            await Task.WhenAll(relays);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Passes on what comes to a port to another one, as if it came from here.</summary>
    private static async Task RelayAsync(int from, int to, CancellationToken end)
    {
        using var listener = new TcpListener(IPAddress.Loopback, from);
        listener.Start();
        var open = new ConcurrentBag<TcpClient>();
        while (!end.IsCancellationRequested)
        {
            try
            {
                var outer = await listener.AcceptTcpClientAsync(end);
                open.Add(outer);
                var inner = new TcpClient();
                open.Add(inner);
                _ = PassAsync(outer, inner, to);
            }
            catch (OperationCanceledException)
            {
                // The spec is over.
            }
        }

        foreach (var client in open) client.Dispose();
    }

    private static async Task PassAsync(TcpClient outer, TcpClient inner, int to)
    {
        try
        {
            await inner.ConnectAsync(IPAddress.Loopback, to);
            await Task.WhenAny(
                inner.GetStream().CopyToAsync(outer.GetStream()), outer.GetStream().CopyToAsync(inner.GetStream()));
        }
        catch (Exception e)
            when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side has gone, or is not there yet.
        }

        outer.Dispose();
        inner.Dispose();
    }
}
