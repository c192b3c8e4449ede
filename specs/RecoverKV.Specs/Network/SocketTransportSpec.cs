using System.Buffers.Binary;
using System.Net.Sockets;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Transport;
using Google.Protobuf;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>The transport itself between nodes, without Akka's protocol above it.</summary>
public sealed class SocketTransportSpec : IAsyncLifetime
{
    private const int Longest = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Neighbours _nodes = new("a", "b", "six");
    private readonly List<SocketTransport> _transports = [];
    private readonly List<ActorSystem> _systems = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var transport in _transports) await transport.Shutdown();
        foreach (var system in _systems) await system.Terminate();
    }

    [Fact]
    public async Task What_is_written_comes_in_order_and_both_ways()
    {
        var connectAsync = await BothAsync();
        var (here, there) = await connectAsync();
        for (var i = 0; i < 20_000; i++)
        {
            Assert.True(here.Handle.Write(Payload(i, i % 1000 == 0 ? 200_000 : 50)));
            Assert.True(there.Handle.Write(Payload(i, 10)));
        }

        for (var i = 0; i < 20_000; i++)
        {
            Assert.Equal(Payload(i, i % 1000 == 0 ? 200_000 : 50), await there.NextAsync());
            Assert.Equal(Payload(i, 10), await here.NextAsync());
        }
    }

    [Fact]
    public async Task What_was_written_before_a_connection_is_closed_still_comes()
    {
        var connectAsync = await BothAsync();
        for (var round = 0; round < 50; round++)
        {
            var (here, there) = await connectAsync();
            for (var i = 0; i < 20; i++) Assert.True(here.Handle.Write(Payload(i, 100)));
            here.Handle.Disassociate("spec", _systems[0].Log);
            Assert.False(here.Handle.Write(Payload(0, 100)));
            for (var i = 0; i < 20; i++) Assert.Equal(Payload(i, 100), await there.NextAsync());
            Assert.Null(await there.NextAsync());
            Assert.Null(await here.NextAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_ended_before_anyone_listened_is_told(bool here)
    {
        var (raw, handle) = await RawAsync();
        using (raw)
        {
            if (here) handle.Disassociate("spec", _systems[0].Log);
            else raw.Socket.LingerState = new LingerOption(true, 0);
        }

        var end = new End(handle);
        Assert.Null(await end.NextAsync());
    }

    [Fact]
    public async Task A_connection_closed_here_ends_in_good_order_there()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        await raw.SendAsync(Payload(5, 10).ToByteArray());
        Assert.Equal(Payload(5, 10), await end.NextAsync());
        Assert.True(handle.Write(Payload(7, 10)));
        handle.Disassociate("spec", _systems[0].Log);
        Assert.Null(await end.NextAsync());
        Assert.Equal(Payload(7, 10).ToByteArray(), await raw.NextAsync());
        Assert.Null(await raw.NextAsync());
    }

    [Fact]
    public async Task A_peer_that_reads_late_gets_everything()
    {
        const int Count = 60;
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        // Far more than the system keeps, and less than waits.
        for (var i = 0; i < Count; i++) Assert.True(handle.Write(Payload(i, Longest - Frame.Header)));
        for (var i = 0; i < 2 * Count; i++)
        {
            var frame = await raw.NextAsync();
            Assert.True(Payload(i, Longest - Frame.Header).Span.SequenceEqual(frame));
            if (i < Count) Assert.True(handle.Write(Payload(Count + i, Longest - Frame.Header)));
        }
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_given_up_before_memory_is()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        var payload = Payload(0, Longest);
        var written = 0;
        // As much waits as may, beside as much that is being sent, and what the system keeps.
        while (handle.Write(payload)) Assert.InRange(++written, 0, 2 * FrameLink.Waiting / Longest + 10);
        Assert.Null(await end.NextAsync());
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_does_not_keep_a_connection_open()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        for (var i = 0; i < 30; i++) Assert.True(handle.Write(Payload(0, Longest)));
        handle.Disassociate("spec", _systems[0].Log);
        Assert.Null(await end.NextAsync());
    }

    [Theory]
    [InlineData(Longest + 1)]
    [InlineData(-5)]
    public async Task Who_announces_a_frame_that_is_none_is_cut_off(int length)
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        var header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, length);
        await raw.Stream.WriteAsync(header);
        Assert.Null(await end.NextAsync());
        Assert.Null(await raw.NextAsync());
        Assert.False(end.Handle.Write(Payload(0, 10)));
    }

    [Fact]
    public async Task A_frame_that_takes_long_to_come_is_a_sign_of_life()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        var frame = Framed(Payload(0, Longest).ToByteArray());
        var sent = 0;
        var sign = end.NextAsync();
        while (!sign.IsCompleted)
        {
            await raw.Stream.WriteAsync(frame.AsMemory(sent++, 1));
            await Task.WhenAny(sign, Task.Delay(20));
        }

        Assert.Equal(Pdu.Heartbeat, await sign);
        await raw.Stream.WriteAsync(frame.AsMemory(sent));
        Assert.Equal(Payload(0, Longest), await end.NextAsync());
    }

    [Fact]
    public async Task Addresses_of_IPv6_stand_in_brackets()
    {
        var (transport, _, inbound) = await ListenAsync("six");
        var handle = await transport.Associate(new Address("tcp", "others", "[::1]", _nodes["six"].Port));
        Assert.Equal($"[::1]:{_nodes["six"].Port}", $"{handle.LocalAddress.Host}:{handle.LocalAddress.Port}");
        Assert.Equal("[::1]", (await inbound.NextAsync()).RemoteAddress.Host);
    }

    [Fact]
    public async Task Nobody_there_is_a_failed_association()
    {
        var here = await ListenAsync("a");
        var failure = await Assert.ThrowsAsync<InvalidAssociationException>(
            () => here.Transport.Associate(AddressOf("b")));
        Assert.Contains($"127.0.0.1:{_nodes["b"].Port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_else_listens_at_the_same_port()
    {
        await ListenAsync("a");
        var failure = await Assert.ThrowsAsync<SocketException>(() => ListenAsync("a"));
        Assert.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
    }

    [Fact]
    public void Tls_is_not_silently_left_out()
    {
        var system = NewSystem("a");
        var failure = Assert.Throws<ConfigurationException>(
            () => _nodes.Transport(system, "a", more: "enable-ssl = on"));
        Assert.Contains("enable-ssl", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_that_is_no_node_has_no_such_transport()
    {
        var system = ActorSystem.Create("specs");
        _systems.Add(system);
        var failure = Assert.Throws<ConfigurationException>(() => _nodes.Transport(system, "a"));
        Assert.Contains("Door", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>What a node may say: a heartbeat that has so many bytes.</summary>
    private static ByteString Payload(int number, int length)
    {
        for (var filling = length; filling >= 0; filling--)
        {
            var bytes = new byte[filling];
            bytes.AsSpan().Fill((byte)number);
            var frame = AkkaFrames.Message(w => w.Bytes(2, AkkaFrames.Message(i =>
            {
                i.Int(1, AkkaFrames.HeartbeatCommand);
                i.AlwaysBytes(15, bytes);
            })));
            if (frame.Length == length) return UnsafeByteOperations.UnsafeWrap(frame);
        }

        throw new ArgumentOutOfRangeException(nameof(length));
    }

    private Address AddressOf(string node) => new("tcp", "others", "127.0.0.1", _nodes[node].Port);

    private ActorSystem NewSystem(string node)
    {
        var system = Neighbours.System(_nodes.Door(node));
        _systems.Add(system);
        return system;
    }

    private async Task<Listening> ListenAsync(string node)
    {
        var system = NewSystem(node);
        var transport = _nodes.Transport(system, node, Longest);
        _transports.Add(transport);
        var (address, listener) = await transport.Listen();
        Assert.Equal(_nodes[node].Port, address.Port);
        var inbound = new Inbound();
        listener.SetResult(inbound);
        return new Listening(transport, system, inbound);
    }

    private async Task<Func<Task<(End Here, End There)>>> BothAsync()
    {
        var (here, there) = (await ListenAsync("a"), await ListenAsync("b"));
        return async () =>
        {
            var handle = await here.Transport.Associate(AddressOf("b"));
            return (new End(handle), new End(await there.Inbound.NextAsync()));
        };
    }

    /// <summary>A node on bare sockets that has connected.</summary>
    private async Task<(BarePeer Raw, AssociationHandle Handle)> RawAsync()
    {
        var (_, _, inbound) = await ListenAsync("a");
        // So that it is the transport that keeps what is not read, and not the system, whose buffers may grow to tens
        // of MiB.
        var raw = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"], buffer: 64 * 1024);
        return (raw, await inbound.NextAsync());
    }

    private static byte[] Framed(byte[] payload)
    {
        var frame = new byte[Frame.Header + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        payload.CopyTo(frame, Frame.Header);
        return frame;
    }

    private sealed record Listening(SocketTransport Transport, ActorSystem System, Inbound Inbound);

    private sealed class Inbound : IAssociationEventListener
    {
        private readonly Channel<AssociationHandle> _handles = Channel.CreateUnbounded<AssociationHandle>();

        public void Notify(IAssociationEvent ev) => _handles.Writer.TryWrite(((InboundAssociation)ev).Association);

        public Task<AssociationHandle> NextAsync() => _handles.Reader.ReadAsync().AsTask().WaitAsync(Limit);
    }

    private sealed class End : IHandleEventListener
    {
        private readonly Channel<ByteString?> _events = Channel.CreateUnbounded<ByteString?>();

        public End(AssociationHandle handle)
        {
            Handle = handle;
            handle.ReadHandlerSource.SetResult(this);
        }

        public AssociationHandle Handle { get; }

        public void Notify(IHandleEvent ev) => _events.Writer.TryWrite((ev as InboundPayload)?.Payload);

        /// <summary>The next payload; null when the connection is told to have ended.</summary>
        public Task<ByteString?> NextAsync() => _events.Reader.ReadAsync().AsTask().WaitAsync(Limit);
    }
}
