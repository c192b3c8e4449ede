using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;
using Google.Protobuf;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Heartbeats between nodes do not wait behind data: a spec is the other node, on bare sockets.</summary>
public sealed class SideLaneSpecs : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly ByteString Small = ByteString.CopyFrom(7, 7, 7);
    private readonly ActorSystem _system = ActorSystem.Create("specs");
    private readonly TcpListener _peer = new(IPAddress.Loopback, 0);
    private readonly Channel<AssociationHandle> _inbound = Channel.CreateUnbounded<AssociationHandle>();
    private SocketTransport _transport = null!;
    private int _port;

    public async Task InitializeAsync()
    {
        _peer.Start();
        _transport = new SocketTransport(_system, ConfigurationFactory.ParseString("""
            hostname = 127.0.0.1
            port = 0
            public-hostname = ""
            public-port = 0
            enable-ssl = off
            dns-use-ipv6 = off
            backlog = 100
            connection-timeout = 10s
            maximum-frame-size = 1048576b
            send-buffer-size = 64000b
            receive-buffer-size = 64000b
            """));
        var (address, listener) = await _transport.Listen();
        _port = address.Port!.Value;
        listener.SetResult(new Listener(e => _inbound.Writer.TryWrite(((InboundAssociation)e).Association)));
    }

    public async Task DisposeAsync()
    {
        await _transport.Shutdown();
        _peer.Stop();
        await _system.Terminate();
    }

    [Fact]
    public async Task A_small_frame_goes_around_data_that_the_other_side_does_not_take()
    {
        var (link, main) = await LinkAsync("specs");
        using var _ = main;
        Fill(link);
        Assert.True(link.Write(Small));
        using var lane = await _peer.AcceptTcpClientAsync().WaitAsync(Limit);
        Assert.Equal(((IPEndPoint)main.Client.RemoteEndPoint!).Port, Pdu.LaneOf(await FrameAsync(lane)));
        await lane.GetStream().WriteAsync(new byte[1]);
        // The first ones may still be behind the data, as the lane was not there.
        var around = FrameAsync(lane);
        while (!around.IsCompleted)
        {
            Assert.True(link.Write(Small));
            await Task.WhenAny(around, Task.Delay(10));
        }

        Assert.Equal(Small.ToByteArray(), await around);
    }

    [Fact]
    public async Task What_a_peer_without_lanes_does_not_take_there_comes_in_order()
    {
        var (link, main) = await LinkAsync("specs");
        using var _ = main;
        var data = Fill(link);
        Assert.True(link.Write(Small));
        (await _peer.AcceptTcpClientAsync().WaitAsync(Limit)).Dispose();
        Assert.True(link.Write(Small));
        for (var i = 0; i < data; i++) Assert.Equal(500_000, (await FrameAsync(main)).Length);
        Assert.Equal(Small.ToByteArray(), await FrameAsync(main));
        Assert.Equal(Small.ToByteArray(), await FrameAsync(main));
    }

    [Fact]
    public async Task To_clients_everything_goes_in_order()
    {
        var (link, main) = await LinkAsync("client");
        using var _ = main;
        var data = Fill(link);
        Assert.True(link.Write(Small));
        for (var i = 0; i < data; i++) Assert.Equal(500_000, (await FrameAsync(main)).Length);
        Assert.Equal(Small.ToByteArray(), await FrameAsync(main));
        Assert.False(_peer.Pending());
    }

    [Fact]
    public async Task What_comes_by_a_lane_is_delivered_as_the_links_own()
    {
        using var main = await ConnectAsync(await HelloOfAsync("specs"));
        var handle = await _inbound.Reader.ReadAsync().AsTask().WaitAsync(Limit);
        var came = Channel.CreateUnbounded<ByteString?>();
        handle.ReadHandlerSource.SetResult(new Handler(e => came.Writer.TryWrite((e as InboundPayload)?.Payload)));
        Assert.NotNull(await came.Reader.ReadAsync().AsTask().WaitAsync(Limit));

        using var lane = await ConnectAsync(Pdu.BeginLane(((IPEndPoint)main.Client.LocalEndPoint!).Port));
        Assert.Equal(1, await lane.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Limit));
        await SendAsync(lane, Small.ToByteArray());
        Assert.Equal(Small, await came.Reader.ReadAsync().AsTask().WaitAsync(Limit));
        // The lane ends with its link, and not the link with its lane.
        lane.Close();
        await SendAsync(main, [5]);
        Assert.Equal(ByteString.CopyFrom(5), await came.Reader.ReadAsync().AsTask().WaitAsync(Limit));
    }

    [Theory]
    [InlineData("specs", 1)]
    [InlineData("client", 0)]
    public async Task A_lane_of_no_link_of_a_peer_is_closed(string system, int portOffset)
    {
        using var main = await ConnectAsync(await HelloOfAsync(system));
        var handle = await _inbound.Reader.ReadAsync().AsTask().WaitAsync(Limit);
        using var lane = await ConnectAsync(Pdu.BeginLane((((IPEndPoint)main.Client.LocalEndPoint!).Port + portOffset) % 65536));
        Assert.Equal(0, await lane.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Limit));
        handle.Disassociate("spec", _system.Log);
    }

    [Fact]
    public async Task Akkas_own_hello_names_its_system()
    {
        Assert.Equal("specs", Pdu.SystemOf(await HelloOfAsync("specs")));
        Assert.Null(Pdu.SystemOf([1, 2, 3]));
        Assert.Null(Pdu.SystemOf(Pdu.Heartbeat.ToByteArray()));
        Assert.Null(Pdu.SystemOf(Pdu.BeginLane(1)));
    }

    /// <summary>The first frame of an actor system of this name.</summary>
    private static async Task<byte[]> HelloOfAsync(string system)
    {
        using var there = new TcpListener(IPAddress.Loopback, 0);
        there.Start();
        var config = ConfigurationFactory.ParseString("""
            akka.actor.provider = remote
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            akka.remote.dot-netty.tcp.hostname = 127.0.0.1
            akka.remote.dot-netty.tcp.port = 0
            """).WithFallback(ConfigurationFactory.FromResource<SocketTransport>("RecoverKV.Client.Network.network.conf"));
        using var from = ActorSystem.Create(system, config);
        var port = ((IPEndPoint)there.LocalEndpoint).Port;
        from.ActorSelection($"akka.tcp://specs@127.0.0.1:{port}/user/a").Tell("hello");
        using var accepted = await there.AcceptTcpClientAsync().WaitAsync(Limit);
        var hello = await FrameAsync(accepted);
        await from.Terminate();
        return hello;
    }

    /// <summary>A link to the peer of this spec, which has said hello.</summary>
    private async Task<(AssociationHandle Link, TcpClient Main)> LinkAsync(string system)
    {
        var associating = _transport.Associate(new Address("tcp", system, "127.0.0.1", ((IPEndPoint)_peer.LocalEndpoint).Port));
        var main = await _peer.AcceptTcpClientAsync().WaitAsync(Limit);
        return (await associating, main);
    }

    /// <summary>Writes data until the system takes no more; how many frames.</summary>
    private static int Fill(AssociationHandle link)
    {
        // More than the buffers of both ends hold, and less than may wait.
        for (var i = 0; i < 40; i++) Assert.True(link.Write(ByteString.CopyFrom(new byte[500_000])));
        SpinWait.SpinUntil(() => ((SocketLink)link).IsStuck, Limit);
        Assert.True(((SocketLink)link).IsStuck);
        return 40;
    }

    private async Task<TcpClient> ConnectAsync(byte[] first)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port);
        await SendAsync(client, first);
        return client;
    }

    private static async Task SendAsync(TcpClient to, byte[] payload)
    {
        var frame = new byte[Frame.Header + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        payload.CopyTo(frame, Frame.Header);
        await to.GetStream().WriteAsync(frame);
    }

    private static async Task<byte[]> FrameAsync(TcpClient from)
    {
        var header = new byte[Frame.Header];
        await from.GetStream().ReadExactlyAsync(header).AsTask().WaitAsync(Limit);
        var payload = new byte[BinaryPrimitives.ReadInt32LittleEndian(header)];
        await from.GetStream().ReadExactlyAsync(payload).AsTask().WaitAsync(Limit);
        return payload;
    }

    private sealed class Listener(Action<IAssociationEvent> notify) : IAssociationEventListener
    {
        public void Notify(IAssociationEvent ev) => notify(ev);
    }

    private sealed class Handler(Action<IHandleEvent> notify) : IHandleEventListener
    {
        public void Notify(IHandleEvent ev) => notify(ev);
    }
}
