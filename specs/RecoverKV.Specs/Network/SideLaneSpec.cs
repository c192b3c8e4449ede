using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Heartbeats between nodes do not wait behind data: a spec is the other node, on bare sockets.</summary>
public sealed class SideLaneSpec : IAsyncLifetime
{
    private static readonly TimeSpan Limit = BarePeer.Limit;
    private static readonly ByteString Small = ByteString.CopyFrom(7, 7, 7);
    private readonly Neighbours _nodes = new("a", "b", "c");
    private readonly Channel<AssociationHandle> _inbound = Channel.CreateUnbounded<AssociationHandle>();
    private readonly ActorSystem _system;
    private readonly SocketTransport _transport;
    private readonly TcpListener _peer;

    public SideLaneSpec()
    {
        _system = Neighbours.System(_nodes.Door("a"));
        _transport = _nodes.Transport(_system, "a", buffers: 64_000);
        _peer = new TcpListener(IPAddress.Loopback, _nodes["b"].Port);
    }

    public async Task InitializeAsync()
    {
        _peer.Start();
        var (_, listener) = await _transport.Listen();
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
        var (link, main) = await LinkAsync();
        using var _ = main;
        Fill(link);
        Assert.True(link.Write(Small));
        var (lane, hello) = await BarePeer.WelcomeAsync(_peer, _nodes.Door("b"));
        using var __ = lane;
        Assert.Equal(
            (Role.Lane, ((IPEndPoint)main.Socket.Client.RemoteEndPoint!).Port, "a", "b"),
            (hello.Role, hello.Port, hello.From, hello.To));
        // The first ones may still be behind the data, as the lane was not there.
        var around = lane.NextAsync();
        while (!around.IsCompleted)
        {
            Assert.True(link.Write(Small));
            await Task.WhenAny(around, Task.Delay(10));
        }

        Assert.Equal(Small.ToByteArray(), await around);
    }

    [Fact]
    public async Task What_a_peer_that_refuses_lanes_does_not_take_there_comes_in_order()
    {
        var (link, main) = await LinkAsync();
        using var _ = main;
        var data = Fill(link);
        Assert.True(link.Write(Small));
        (await BarePeer.AcceptAsync(_peer)).Peer.Dispose();
        Assert.True(link.Write(Small));
        for (var i = 0; i < data; i++) Assert.Equal(500_000, (await main.NextAsync())!.Length);
        Assert.Equal(Small.ToByteArray(), await main.NextAsync());
        Assert.Equal(Small.ToByteArray(), await main.NextAsync());
    }

    [Fact]
    public async Task A_lane_is_made_to_no_one_who_does_not_know_the_secret()
    {
        var (link, main) = await LinkAsync();
        using var _ = main;
        var data = Fill(link);
        Assert.True(link.Write(Small));
        var (lane, hello) = await BarePeer.AcceptAsync(_peer);
        using var __ = lane;
        using var limit = new CancellationTokenSource(Limit);
        var ignorant = _nodes.Door("b", "another secret than theirs");
        var refusal = await NodeGreeting.AcceptAsync(lane.Stream, lane.Incoming, ignorant, hello, limit.Token);
        Assert.Contains("recoverkv.secret", refusal, StringComparison.Ordinal);
        for (var i = 0; i < data; i++) Assert.Equal(500_000, (await main.NextAsync())!.Length);
        Assert.Equal(Small.ToByteArray(), await main.NextAsync());
    }

    [Fact]
    public async Task What_comes_by_a_lane_is_delivered_as_the_links_own()
    {
        using var main = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        var handle = await _inbound.Reader.ReadAsync().AsTask().WaitAsync(Limit);
        var came = Channel.CreateUnbounded<ByteString?>();
        handle.ReadHandlerSource.SetResult(new Handler(e => came.Writer.TryWrite((e as InboundPayload)?.Payload)));

        using var lane = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"], Role.Lane, main.Port);
        var heartbeat = AkkaFrames.Instruction(AkkaFrames.HeartbeatCommand);
        var goodbye = AkkaFrames.Instruction(AkkaFrames.DisassociateCommand);
        await lane.SendAsync(heartbeat);
        Assert.Equal(heartbeat, (await came.Reader.ReadAsync().AsTask().WaitAsync(Limit))?.ToByteArray());
        // And filtered as those.
        await lane.SendAsync(AkkaFrames.To("/user/other", AkkaFrames.InTheNameOf("b")));
        // The lane ends with its link, and not the link with its lane.
        lane.Dispose();
        await main.SendAsync(goodbye);
        Assert.Equal(goodbye, (await came.Reader.ReadAsync().AsTask().WaitAsync(Limit))?.ToByteArray());
    }

    [Theory]
    [InlineData("b", 1)]
    [InlineData("c", 0)]
    public async Task A_lane_of_no_link_of_its_peer_is_closed(string from, int portOffset)
    {
        using var main = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        await _inbound.Reader.ReadAsync().AsTask().WaitAsync(Limit);
        using var lane = await BarePeer.GreetAsync(
            _nodes.Door(from), _nodes["a"], Role.Lane, (main.Port + portOffset) % 65536);
        Assert.Null(await lane.NextAsync());
        Assert.False(_inbound.Reader.TryRead(out _));
    }

    /// <summary>A link to the peer of this spec, which has welcomed it.</summary>
    private async Task<(AkkaLink Link, BarePeer Main)> LinkAsync()
    {
        var associating = _transport.Associate(new Address("tcp", "recoverkv", "127.0.0.1", _nodes["b"].Port));
        var (main, hello) = await BarePeer.WelcomeAsync(_peer, _nodes.Door("b"));
        Assert.Equal((Role.Node, "a", "b"), (hello.Role, hello.From, hello.To));
        return ((AkkaLink)await associating, main);
    }

    /// <summary>Writes data until the system takes no more; how many frames.</summary>
    private static int Fill(AkkaLink link)
    {
        // More than the buffers of both ends hold, and less than may wait.
        for (var i = 0; i < 40; i++) Assert.True(link.Write(ByteString.CopyFrom(new byte[500_000])));
        SpinWait.SpinUntil(() => link.Link.IsStuck, Limit);
        Assert.True(link.Link.IsStuck);
        return 40;
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
