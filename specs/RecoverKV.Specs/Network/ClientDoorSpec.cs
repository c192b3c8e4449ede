using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Configuration;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Gateway;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>What clients may hold of a node, and for how long: a spec is a client, on bare sockets.</summary>
public sealed class ClientDoorSpec : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ActorSystem _system = ActorSystem.Create("specs");
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<object> _heard = Channel.CreateUnbounded<object>();
    private readonly Channel<string> _complaints = Channel.CreateUnbounded<string>();
    private ClientDoor _clients = null!;

    public Task InitializeAsync()
    {
        _listener.Start();
        var door = new Door(NodeSettings.Load(ConfigurationFactory.ParseString("""
            recoverkv {
              node = a
              members = ["a@127.0.0.1:4051"]
              data = x
            }
            """)));
        door.Open(_system.ActorOf(Props.Create(() => new Gateway(_heard.Writer))));
        _clients = new ClientDoor(
            (ExtendedActorSystem)_system, door, new Strand(), line => _complaints.Writer.TryWrite(line));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _clients.Close();
        _listener.Stop();
        await _system.Terminate();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(100_000)]
    public async Task Who_stops_amid_a_message_is_closed_and_who_says_nothing_is_not(int bytes)
    {
        using var idle = await EnterAsync();
        using var halting = await EnterAsync();
        byte[] half = [.. BitConverter.GetBytes(1_000_000), .. new byte[bytes]];
        await halting.SendAsync(half.AsMemory(0, bytes));

        // The node may not have read it yet.
        var complaint = _complaints.Reader.WaitToReadAsync().AsTask();
        var deadline = DateTime.UtcNow + Limit;
        while (!complaint.IsCompleted)
        {
            Assert.True(DateTime.UtcNow < deadline, "it stays open");
            _clients.Sweep(Environment.TickCount64 + ClientConnection.Patience + 1);
            await Task.WhenAny(complaint, Task.Delay(10));
        }

        Assert.Contains("the end of a message", await _complaints.Reader.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await EndAsync(halting));

        var request = new ClusterViewRequest(7);
        byte[] message = [.. ClientCodec.Head(request), .. ClientCodec.Encode(request).Written];
        await idle.SendAsync((byte[])[.. BitConverter.GetBytes(message.Length), .. message]);
        Assert.Equal(request, await _heard.Reader.ReadAsync().AsTask().WaitAsync(Limit));
    }

    private async Task<Socket> EnterAsync()
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(_listener.LocalEndpoint);
        var accepted = await _listener.AcceptSocketAsync();
        _clients.Enter(accepted, new NetworkStream(accepted, ownsSocket: true), _clients.NewReader());
        return client;
    }

    private static async Task<int> EndAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(Limit);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private sealed class Gateway : ReceiveActor
    {
        public Gateway(ChannelWriter<object> heard) => ReceiveAny(message => heard.TryWrite(message));
    }
}
