using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1;
using RecoverKV.Client;
using RecoverKV.Host;
using RecoverKV.Host.Grpc.Wire;

namespace RecoverKV.Specs.Host.Original;

/// <summary>The original's clients at `up` as users run it: without --chaos.</summary>
public sealed class UpGrpcSpec : IAsyncLifetime
{
    private static readonly string[] Servers = ["localhost:50051", "localhost:50052", "localhost:50053"];

    private readonly string _data = Directory.CreateTempSubdirectory("recoverkv-grpc").FullName;
    private RunningUp _up = null!;

    public async Task InitializeAsync() => _up = await RunningUp.StartWithGrpcAsync(_data);

    public async Task DisposeAsync()
    {
        var pids = await _up.PidsAsync();
        await _up.DisposeAsync();
        // Its nodes see that it has gone; until then they write to the folder.
        foreach (var pid in pids) await EndedAsync(pid);
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task The_original_s_clients_are_served_whichever_server_dies()
    {
        using var client = new OriginalClient(_up.GrpcPort, "one");
        Assert.Equal(Answer.Ok(0), await client.InitAsync(Servers));
        Assert.Equal(Answer.Ok(1, "1"), await client.SetAsync("key", "1"));
        await CheckNodesAsync();
        await CheckProtocolAsync(client);
        await CheckBadConnectionsAsync(client);

        Assert.Equal(3, (await _up.RunAsync(["stop", "node1"])).Code);
        await CheckWrongSecretAsync();
        Assert.Equal(Answer.Ok(0), await client.PartitionAsync(Servers[0], Servers[1] + ","));
        Assert.Equal(Answer.Ok(0), await client.PartitionAsync(Servers[0], $"{Servers[1]},{Servers[2]},"));
        Assert.Equal(Answer.Ok(0), await client.StopAsync(Servers[0], 0));
        Assert.Equal(Answer.Ok(0, "1"), await client.SetAsync("key", "2"));
        await _up.LineAsync("node1 was killed by signal 9, starting it again in 1 s");
        await _up.LineAsync("cluster ready");
        Assert.Equal(Answer.Ok(0), await client.StopAsync(Servers[1], 1));
        Assert.Equal(Answer.Ok(0, "2"), await client.SetAsync("key", "3"));
        await _up.LineAsync("cluster ready");

        // All at once: clients wait, and are known again.
        foreach (var pid in await _up.PidsAsync()) Process.GetProcessById(pid).Kill();
        Assert.Equal(Answer.Ok(0, "3"), await client.GetAsync("key"));
        using (var other = new OriginalClient(_up.GrpcPort, "other"))
        {
            Assert.Equal(Answer.Ok(0), await InitWhenAliveAsync(other));
            Assert.Equal(Answer.Ok(-1), await client.InitAsync(Servers));
            Assert.Equal(Answer.Ok(0), await other.FreeAsync());
        }

        Assert.Equal((0, "key\t3\n"), await DumpAsync());
        Assert.Equal(Answer.Ok(0), await client.FreeAsync());
    }

    [Fact]
    public async Task The_checks_of_the_original_s_users_pass()
    {
        using var terminal = new TestTerminal();
        var code = await Cli.RunAsync(["check", "--grpc", $"localhost:{_up.GrpcPort}"], terminal.Terminal);
        Assert.True(code == 0, terminal.Output + terminal.Error);
        Assert.Contains("9 of 10 passed; ", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("none of them old", terminal.Output, StringComparison.Ordinal);
        // No record of its clients is left.
        await using var store = await RecoverKvClient.ConnectAsync(_up.Contact.Split(','));
        await foreach (var item in store.ScanAsync()) Assert.False(ReservedKeys.Holds(item.Key));
    }

    private async Task CheckWrongSecretAsync()
    {
        await using var store = await RecoverKvClient.ConnectAsync(
            _up.Contact.Split(','), new RecoverKvClientOptions { ChaosSecret = "guessed" });
        Assert.True((await Assert.ThrowsAsync<NotDoneException>(() => store.StopNodeAsync("node1"))).Refused);
        Assert.True((await Assert.ThrowsAsync<NotDoneException>(() => store.PartitionAsync("node1", []))).Refused);
    }

    /// <summary>Its configuration has a secret, which nobody else may read; and it has not loaded ASP.NET.</summary>
    private async Task CheckNodesAsync()
    {
        var config = Path.Combine(_data, "node1", "node.conf");
        Assert.Contains("chaos-secret = ", await File.ReadAllTextAsync(config), StringComparison.Ordinal);
        if (!OperatingSystem.IsLinux()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(config));
        foreach (var pid in await _up.PidsAsync())
        {
            var maps = await File.ReadAllTextAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps"));
            Assert.Contains("RecoverKV.Actors", maps, StringComparison.Ordinal);
            Assert.DoesNotContain("Kestrel", maps, StringComparison.Ordinal);
        }
    }

    private static async Task CheckProtocolAsync(OriginalClient client)
    {
        var health = await new Health.HealthClient(client.Channel).CheckAsync(new HealthCheckRequest());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);

        using var call = new ServerReflection.ServerReflectionClient(client.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(
            new ServerReflectionRequest { FileContainingSymbol = "recoverKV.RecoverKV" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var file = Google.Protobuf.Reflection.FileDescriptorProto.Parser.ParseFrom(
            call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto.Single());
        var original = Wire.OriginalReflection.Descriptor.ToProto();
        Assert.Equal(original.MessageType, file.MessageType);
        Assert.Equal(original.Service, file.Service);
        await call.RequestStream.CompleteAsync();

        // Bytes that are no text stay as they are.
        var bytes = new RecoverKV.Host.Grpc.Wire.RecoverKV.RecoverKVClient(client.Channel);
        var (one, other) = (ByteString.CopyFrom(0xff, 0), ByteString.CopyFrom(0xfe, 0));
        foreach (var odd in new[] { one, other })
        {
            var written = await bytes.setValueAsync(new Request { ClientID = client.Id, Key = odd, Value = odd });
            Assert.Equal((1, odd), (written.SuccessCode, written.Value));
        }

        Assert.Equal(one, (await bytes.getValueAsync(new Request { ClientID = client.Id, Key = one })).Value);
    }

    /// <summary>What breaks off or makes no sense is the end of that connection alone.</summary>
    private async Task CheckBadConnectionsAsync(OriginalClient client)
    {
        var preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        byte[] settings = [0, 0, 0, 4, 0, 0, 0, 0, 0], headers = [0, 0, 40, 1, 4, 0, 0, 0, 1, 0x82, 0x86];
        byte[][] starts =
        [
            [], Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            [.. Enumerable.Repeat((byte)0xff, 5000)],
            preface, [.. preface, .. settings], [.. preface, .. settings, .. headers],
        ];
        foreach (var start in starts)
        {
            using var socket = new TcpClient("localhost", _up.GrpcPort);
            await socket.GetStream().WriteAsync(start);
            socket.Client.LingerState = new LingerOption(true, 0);
        }

        using var broken = new HttpClient
        {
            DefaultRequestVersion = new Version(2, 0),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        // A message that promises more than comes, and one that is no protobuf.
        foreach (byte[] body in new byte[][] { [0, 0, 0, 0, 100, 1, 2], [0, 0, 0, 0, 2, 0x0a, 0x7f] })
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/grpc");
            using var answer = await broken.PostAsync(
                new Uri($"http://localhost:{_up.GrpcPort}/recoverKV.RecoverKV/setValue"), content);
            var status = answer.TrailingHeaders.Concat(answer.Headers)
                .Single(h => h.Key == "grpc-status").Value.Single();
            Assert.NotEqual("0", status);
        }

        Assert.Equal(Answer.Ok(0, "1"), await client.GetAsync("key"));
        using var v4 = new OriginalClient(_up.GrpcPort, client.Id, "127.0.0.1");
        Assert.Equal(Answer.Ok(0, "1"), await v4.GetAsync("key"));
    }

    /// <summary>Until all have said that they are ALIVE.</summary>
    private async Task<Answer> InitWhenAliveAsync(OriginalClient client)
    {
        while (true)
        {
            var answer = await client.InitAsync(Servers);
            if (answer != Answer.Ok(-1)) return answer;
            _up.Patience.ThrowIfCancellationRequested();
        }
    }

    private async Task<(int Code, string Output)> DumpAsync()
    {
        await using var store = await RecoverKvClient.ConnectAsync(_up.Contact.Split(','));
        foreach (byte first in new byte[] { 0xff, 0xfe }) await store.DeleteAsync(new Key(new byte[] { first, 0 }));
        var (code, output, _) = await _up.RunAsync(["dump"]);
        return (code, output);
    }

    private async Task EndedAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await process.WaitForExitAsync(patience.Token);
        }
        catch (ArgumentException)
        {
            // How .NET says that there is no such process.
        }
    }
}
