using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Replica;
using RecoverKV.Actors.Serialization;
using RecoverKV.Specs.Storage;

namespace RecoverKV.Specs.Replica;

/// <summary>
/// Two nodes are connected. Another connection comes from the one of them and breaks at once, as when its handshake took too
/// long. Where both write to one connection, Akka.Remote then no longer reads it, for as long as it lives.
/// </summary>
public sealed class DeafConnectionSpec : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly NodeId Other = new("b");
    private readonly TemporaryFolder _folder = new();
    private readonly NodeSettings _settings;
    private readonly ActorSystem _a, _b;

    public DeafConnectionSpec()
    {
        var (a, b) = (JournalHarness.FreePort(), JournalHarness.FreePort());
        _settings = Settings("a", _folder.Path, a, b);
        _a = NewSystem(_settings);
        _b = NewSystem(Settings("b", _folder.Path, a, b));
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_a.Terminate(), _b.Terminate());
        _folder.Dispose();
    }

    [Fact]
    public async Task Both_are_heard_again_whatever_became_of_the_second_connection()
    {
        _b.ActorOf(Props.Create(() => new Echo()), "node");
        var links = new PeerLinks((ExtendedActorSystem)_a, _settings);
        Assert.True(await IsAnsweredAsync(links, Patience));

        var introduction = await FirstFrameAsync(_b);
        for (var round = 0; round < 5; round++)
        {
            await BreakSecondConnectionAsync(introduction);
            // The answer that was on its way may be lost; the ones after it must not.
            var deadline = DateTime.UtcNow + Patience;
            var inARow = 0;
            while ((inARow = await IsAnsweredAsync(links, TimeSpan.FromSeconds(1)) ? inARow + 1 : 0) < 20)
                Assert.True(DateTime.UtcNow < deadline, "the connection stayed deaf");
        }
    }

    private static NodeSettings Settings(string node, string folder, int a, int b) =>
        NodeSettings.Load(ConfigurationFactory.ParseString($$"""
            recoverkv {
              node = {{node}}
              members = ["a@127.0.0.1:{{a}}", "b@127.0.0.1:{{b}}"]
              data = "{{folder}}"
              log-level = OFF
            }
            """));

    /// <summary>Remoting as nodes have it, without cluster and journal.</summary>
    private static ActorSystem NewSystem(NodeSettings settings) => ActorSystem.Create(NodeSettings.SystemName,
        ConfigurationFactory.ParseString("""
            akka.actor.provider = remote
            akka.persistence.journal.auto-start-journals = []
            """).WithFallback(AkkaConfig.Of(settings)));

    /// <summary>Sends something over the link, and says whether the other node's answer came within the time.</summary>
    private async Task<bool> IsAnsweredAsync(PeerLinks links, TimeSpan patience)
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var receiver = _a.ActorOf(Props.Create(() => new Receiver(answer)));
        links[Other].Tell(new PeerEnvelope(new Header(new MemberId(Other, Guid.Empty), Other, default, 0), new Commit(new Epoch(1), new Uid(1))), receiver);
        var answered = await Task.WhenAny(answer.Task, Task.Delay(patience)) == answer.Task;
        _a.Stop(receiver);
        return answered;
    }

    /// <summary>With what a system introduces itself to another one.</summary>
    private static async Task<byte[]> FirstFrameAsync(ActorSystem system)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        system.ActorSelection($"akka.tcp://someone@127.0.0.1:{port}/user/nobody").Tell("hello");
        using var connection = await listener.AcceptTcpClientAsync().WaitAsync(Patience);
        return await FrameAsync(connection.GetStream());
    }

    private async Task BreakSecondConnectionAsync(byte[] introduction)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, _settings.Self.Port);
        await connection.GetStream().WriteAsync(introduction);
        await FrameAsync(connection.GetStream());
    }

    private static async Task<byte[]> FrameAsync(NetworkStream stream)
    {
        var length = new byte[4];
        await stream.ReadExactlyAsync(length).AsTask().WaitAsync(Patience);
        var frame = new byte[4 + BinaryPrimitives.ReadInt32LittleEndian(length)];
        length.CopyTo(frame, 0);
        await stream.ReadExactlyAsync(frame.AsMemory(4)).AsTask().WaitAsync(Patience);
        return frame;
    }

    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    private sealed class Receiver(TaskCompletionSource answer) : UntypedActor
    {
        protected override void OnReceive(object message) => answer.TrySetResult();
    }
}
