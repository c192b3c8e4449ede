using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using RecoverKV.Host;

namespace RecoverKV.Specs.Host.Original;

/// <summary>A node that serves the original's clients itself.</summary>
public sealed class NodeGrpcSpec : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recoverkv-node").FullName;
    private readonly int _grpc = FreePort();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_serves_under_the_names_of_its_settings_and_stops_nothing_without_chaos()
    {
        using var node = Start(_grpc, ["recoverkv.grpc.servers=[\"only@some-server:50051\"]"]);
        using (var client = new OriginalClient(_grpc))
        {
            Assert.Equal(Answer.Ok(0), await OpenAsync(client, "some-server:50051"));
            Assert.Equal(Answer.Ok(1, "1"), await client.SetAsync("a", "1"));
            Assert.Equal(Answer.Ok(0, "1"), await client.GetAsync("a"));
            Assert.Equal(
                Answer.Error(-1, StatusCode.FailedPrecondition), await client.StopAsync("some-server:50051", 1));
            Assert.Equal(
                Answer.Error(-1, StatusCode.FailedPrecondition), await client.StopAsync("some-server:50051", 0));
        }

        Assert.Equal("", await EndAsync(node));
        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task A_port_in_use_is_the_end_of_its_start()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var node = Start(((IPEndPoint)listener.LocalEndpoint).Port, []);
        Assert.Contains("is in use: stop what listens there, or choose another port for gRPC with recoverkv.grpc.port",
            await node.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await EndAsync(node);
        Assert.Equal(3, node.ExitCode);
    }

    private Process Start(int grpcPort, string[] settings)
    {
        var file = Path.Combine(_folder, "node.conf");
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $$"""
            recoverkv {
              node = only
              members = ["only@127.0.0.1:{{FreePort()}}"]
              data = "{{_folder}}/data"
              grpc.enabled = on
              grpc.port = {{grpcPort}}
            }
            """));
        return Process.Start(ThisProgram.Start(
            ["node", "--config", file, "--stop-with-stdin", .. settings.SelectMany(s => new[] { "--set", s })]))!;
    }

    /// <summary>Lets it leave; what it said on its standard error.</summary>
    private static async Task<string> EndAsync(Process node)
    {
        node.StandardInput.Close();
        var error = await node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        return error;
    }

    /// <summary>Opens the client once the node listens and is ALIVE.</summary>
    private static async Task<Answer> OpenAsync(OriginalClient client, string server)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var answer = await client.InitAsync(server);
            if (answer != Answer.Ok(-1) && answer.Status != StatusCode.Unavailable || clock.Elapsed.TotalSeconds > 60)
                return answer;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
