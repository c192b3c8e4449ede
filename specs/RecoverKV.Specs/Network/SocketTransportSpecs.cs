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

/// <summary>The transport itself, without Akka's protocol above it. Against Akka's own transport it stands in the specs of
/// the client, whose nodes have that one.</summary>
public sealed class SocketTransportSpecs : IAsyncLifetime
{
    private const int Longest = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ActorSystem _system = ActorSystem.Create("specs");
    private readonly List<SocketTransport> _transports = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var transport in _transports) await transport.Shutdown();
        await _system.Terminate();
    }

    [Fact]
    public async Task What_is_written_comes_in_order_and_both_ways()
    {
        var (here, there) = await ConnectAsync();
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
        for (var round = 0; round < 50; round++)
        {
            var (here, there) = await ConnectAsync();
            for (var i = 0; i < 20; i++) Assert.True(here.Handle.Write(Payload(i, 100)));
            here.Handle.Disassociate("spec", _system.Log);
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
            if (here) handle.Disassociate("spec", _system.Log);
            else raw.LingerState = new LingerOption(true, 0);
        }

        var end = new End(handle);
        Assert.Equal(Hello, await end.NextAsync());
        Assert.Null(await end.NextAsync());
    }

    [Fact]
    public async Task A_connection_closed_here_ends_in_good_order_there()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        Assert.Equal(Hello, await end.NextAsync());
        await raw.GetStream().WriteAsync(new byte[] { 1, 0, 0, 0, 5 });
        Assert.Equal(Payload(5, 1), await end.NextAsync());
        Assert.True(handle.Write(Payload(7, 3)));
        handle.Disassociate("spec", _system.Log);
        Assert.Null(await end.NextAsync());
        var bytes = new byte[100];
        Assert.Equal(7, await raw.GetStream().ReadAtLeastAsync(bytes, 7).AsTask().WaitAsync(Limit));
        Assert.Equal(0, await raw.GetStream().ReadAsync(bytes).AsTask().WaitAsync(Limit));
    }

    [Fact]
    public async Task A_peer_that_reads_late_gets_everything()
    {
        const int Count = 60;
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        // Far more than the system keeps, and less than waits.
        for (var i = 0; i < Count; i++) Assert.True(handle.Write(Payload(i, Longest - Frame.Header)));
        var frame = new byte[Longest];
        for (var i = 0; i < 2 * Count; i++)
        {
            await raw.GetStream().ReadExactlyAsync(frame).AsTask().WaitAsync(Limit);
            Assert.True(Payload(i, Longest - Frame.Header).Span.SequenceEqual(frame.AsSpan(Frame.Header)));
            if (i < Count) Assert.True(handle.Write(Payload(Count + i, Longest - Frame.Header)));
        }
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_given_up_before_memory_is()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        Assert.Equal(Hello, await end.NextAsync());
        var payload = Payload(0, Longest);
        var written = 0;
        while (handle.Write(payload)) Assert.InRange(++written, 0, 100);
        Assert.Null(await end.NextAsync());
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_does_not_keep_a_connection_open()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        Assert.Equal(Hello, await end.NextAsync());
        for (var i = 0; i < 30; i++) Assert.True(handle.Write(Payload(0, Longest)));
        handle.Disassociate("spec", _system.Log);
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
        Assert.Equal(Hello, await end.NextAsync());
        var header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, length);
        await raw.GetStream().WriteAsync(header);
        Assert.Null(await end.NextAsync());
        Assert.Equal(0, await raw.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Limit));
        Assert.False(end.Handle.Write(Payload(0, 1)));
    }

    [Fact]
    public async Task A_frame_that_takes_long_to_come_is_a_sign_of_life()
    {
        var (raw, handle) = await RawAsync();
        using var _ = raw;
        var end = new End(handle);
        Assert.Equal(Hello, await end.NextAsync());
        var frame = Framed(new byte[Longest]);
        var sent = 0;
        var sign = end.NextAsync();
        while (!sign.IsCompleted)
        {
            await raw.GetStream().WriteAsync(frame.AsMemory(sent++, 1));
            await Task.WhenAny(sign, Task.Delay(20));
        }

        Assert.Equal(Pdu.Heartbeat, await sign);
        await raw.GetStream().WriteAsync(frame.AsMemory(sent));
        Assert.Equal(Payload(0, Longest), await end.NextAsync());
    }

    [Fact]
    public async Task Addresses_of_IPv6_stand_in_brackets()
    {
        var (transport, port, inbound) = await ListenAsync("hostname = \"::1\"");
        var handle = await transport.Associate(new Address("tcp", "others", "[::1]", port));
        Assert.Equal($"[::1]:{port}", $"{handle.LocalAddress.Host}:{handle.LocalAddress.Port}");
        Assert.True(handle.Write(Hello));
        Assert.Equal("[::1]", (await inbound.NextAsync()).RemoteAddress.Host);
    }

    [Fact]
    public async Task Nobody_there_is_a_failed_association()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var (transport, _, _) = await ListenAsync();
        var failure = await Assert.ThrowsAsync<InvalidAssociationException>(
            () => transport.Associate(new Address("tcp", "specs", "127.0.0.1", port)));
        Assert.Contains($"127.0.0.1:{port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_else_listens_at_the_same_port()
    {
        var (_, port, _) = await ListenAsync();
        var failure = await Assert.ThrowsAsync<SocketException>(() => ListenAsync($"port = {port}"));
        Assert.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
    }

    [Fact]
    public void Tls_is_not_silently_left_out() =>
        Assert.Throws<ConfigurationException>(() => new SocketTransport(_system, Settings("enable-ssl = on")));

    private static readonly ByteString Hello = Payload(1, 10);

    private static Config Settings(string more = "") => ConfigurationFactory.ParseString(more).WithFallback($"""
        hostname = 127.0.0.1
        port = 0
        public-hostname = ""
        public-port = 0
        enable-ssl = off
        dns-use-ipv6 = off
        backlog = 100
        connection-timeout = 10s
        maximum-frame-size = {Longest}b
        send-buffer-size = 256000b
        receive-buffer-size = 256000b
        """);

    private static ByteString Payload(int number, int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill((byte)number);
        return ByteString.CopyFrom(bytes);
    }

    private async Task<Listening> ListenAsync(string more = "")
    {
        var transport = new SocketTransport(_system, Settings(more));
        _transports.Add(transport);
        var (address, listener) = await transport.Listen();
        var inbound = new Inbound();
        listener.SetResult(inbound);
        return new Listening(transport, address.Port!.Value, inbound);
    }

    private async Task<(End Here, End There)> ConnectAsync()
    {
        var (here, there) = (await ListenAsync(), await ListenAsync());
        var handle = await here.Transport.Associate(new Address("tcp", "others", "127.0.0.1", there.Port));
        // Who says nothing is no connection.
        Assert.True(handle.Write(Hello));
        var inbound = new End(await there.Inbound.NextAsync());
        Assert.Equal(Hello, await inbound.NextAsync());
        return (new End(handle), inbound);
    }

    private async Task<(TcpClient Raw, AssociationHandle Handle)> RawAsync()
    {
        var (_, port, inbound) = await ListenAsync();
        // So that it is the transport that keeps what is not read, and not the system, whose buffers may grow to tens of MiB.
        var raw = new TcpClient { ReceiveBufferSize = 64 * 1024 };
        await raw.ConnectAsync(IPAddress.Loopback, port);
        await raw.GetStream().WriteAsync(Framed(Hello.ToByteArray()));
        return (raw, await inbound.NextAsync());
    }

    private static byte[] Framed(byte[] payload)
    {
        var frame = new byte[Frame.Header + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        payload.CopyTo(frame, Frame.Header);
        return frame;
    }

    private sealed record Listening(SocketTransport Transport, int Port, Inbound Inbound);

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
