using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Who gets in at a node's port where there is TLS, and whom a node connects to: by certificates, without a
/// secret.
/// </summary>
public sealed class TlsHandshakeSpec : IAsyncLifetime
{
    private static readonly TimeSpan Limit = BarePeer.Limit;
    private readonly TestCertificates _certificates = new("a", "b", "c");
    private readonly Neighbours _nodes = new("a", "b", "c");
    private readonly Channel<IAssociationEvent> _told = Channel.CreateUnbounded<IAssociationEvent>();
    private readonly List<(ActorSystem, SocketTransport)> _running = [];
    private SocketTransport _transport = null!;
    private Door _door = null!;

    public Task InitializeAsync() => StartAsync("required");

    public async Task DisposeAsync()
    {
        await StopAsync();
        _certificates.Dispose();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_node_gets_in_by_its_certificate(SslProtocols version)
    {
        using var peer = await ConnectAsync("b", version);
        Assert.Null(await GreetAsync(peer, "b"));
        await AssertToldOnlyOfAsync(peer);
    }

    [Theory]
    [InlineData("b", "c", "recoverkv://node/c is wanted")]
    [InlineData("client", "b", "it is no node's")]
    [InlineData("expired", "b", "it has expired on 20")]
    [InlineData("early", "b", "it is good from 20")]
    [InlineData("self-signed", "b", "it is of no authority that is known here")]
    [InlineData("foreign", "b", "it is of no authority that is known here")]
    [InlineData(null, "b", "it shows no certificate")]
    public async Task Another_certificate_does_not_speak_for_a_node(string? certificate, string node, string why)
    {
        foreach (var role in new[] { Role.Node, Role.Lane })
        {
            using var peer = await ConnectAsync(certificate);
            Assert.Contains(why, await GreetAsync(peer, node, role), StringComparison.Ordinal);
            Assert.Contains(why, _door.Refusal, StringComparison.Ordinal);
            Assert.Null(await peer.NextAsync());
        }

        await AssertToldOfNobodyAsync();
    }

    [Theory]
    [InlineData(Role.Node)]
    [InlineData(Role.Client)]
    public async Task Who_does_not_speak_TLS_is_told_so(object role)
    {
        using var peer = await BarePeer.ConnectAsync(_nodes["a"]);
        await peer.SendAsync(new Knock((Role)role, From: "b", To: "a", Nonce: new byte[16]).Encode());
        var welcome = (await peer.WelcomeAsync())!;
        Assert.Equal(0, welcome.Version);
        Assert.Contains("speaks TLS only", welcome.Refusal, StringComparison.Ordinal);
        Assert.Null(await peer.NextAsync());
        await AssertToldOfNobodyAsync();
    }

    [Theory]
    [InlineData("required", "client", null)]
    [InlineData("required", "b", null)]
    [InlineData("required", null, "--cert")]
    [InlineData("required", "expired", "it has expired")]
    [InlineData("required", "foreign", "it is of no authority")]
    [InlineData("required", "self-signed", "it is of no authority")]
    [InlineData("optional", "client", null)]
    [InlineData("optional", null, null)]
    [InlineData("optional", "expired", "it has expired")]
    [InlineData("optional", "foreign", "it is of no authority")]
    public async Task Clients_get_in_as_the_node_has_it(string clients, string? certificate, string? why)
    {
        await StopAsync();
        await StartAsync(clients);
        using var client = await ConnectAsync(certificate);
        var refusal = await GreetAsync(client, "", Role.Client);
        if (why is null) Assert.Null(refusal);
        else Assert.Contains(why, refusal, StringComparison.Ordinal);
        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task What_is_neither_TLS_nor_a_greeting_is_closed()
    {
        foreach (var first in new byte[] { 0x16, 0x80, 0x15, 0 })
        {
            using var peer = await BarePeer.ConnectAsync(_nodes["a"]);
            await peer.Stream.WriteAsync(new[] { first }.Concat(RandomNumberGenerator.GetBytes(100_000)).ToArray());
            await AssertClosedAsync(peer.Stream);
        }

        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task Where_TLS_is_off_who_speaks_it_is_closed()
    {
        await StopAsync();
        await StartAsync(null);
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _nodes["a"].Port);
        await using var secure = new SslStream(socket.GetStream(), false, (_, shown, _, _) => shown is not null);
        await Assert.ThrowsAnyAsync<Exception>(() => secure.AuthenticateAsClientAsync("localhost").WaitAsync(Limit));
    }

    [Fact]
    public async Task A_node_connects_to_the_node_that_it_means()
    {
        using var listener = Listen();
        var associating = AssociateAsync("b");
        using var peer = await AcceptAsync(listener, "b");
        Assert.Null(await WelcomeAsync(peer));
        Assert.NotNull(await associating);
    }

    [Theory]
    [InlineData("c", "recoverkv://node/b is wanted")]
    [InlineData("expired", "it has expired on 20")]
    [InlineData("self-signed", "it is of no authority")]
    [InlineData("foreign", "it is of no authority")]
    public async Task A_node_connects_to_nobody_else_and_both_sides_know_why(string certificate, string why)
    {
        using var listener = Listen();
        var associating = AssociateAsync("b");
        using var peer = await AcceptAsync(listener, certificate);
        Assert.Contains(why, await WelcomeAsync(peer), StringComparison.Ordinal);
        var failure = await Assert.ThrowsAsync<InvalidAssociationException>(() => associating.WaitAsync(Limit));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, _door.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_connects_to_nobody_without_TLS()
    {
        using var listener = Listen();
        var associating = AssociateAsync("b");
        using var socket = await listener.AcceptTcpClientAsync().WaitAsync(Limit);
        socket.Close();
        var failure = await Assert.ThrowsAsync<InvalidAssociationException>(() => associating.WaitAsync(Limit));
        Assert.Contains("recoverkv.tls.mode", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exchanged_files_are_taken_and_damaged_ones_are_not()
    {
        var first = await SerialAsync();
        _certificates.Own.MakeNode("a", [], 30);
        var second = await ChangedAsync(first);

        await File.WriteAllTextAsync(_certificates.Own.Key("a"), "no key");
        // A connection that is made now, and one after the files were read again, have what was good.
        Assert.Equal(second, await SerialAsync());
        _certificates.Own.MakeNode("b", [], 30);
        File.Copy(_certificates.Own.Certificate("b"), _certificates.Own.Certificate("a"), overwrite: true);
        File.Copy(_certificates.Own.Key("b"), _certificates.Own.Key("a"), overwrite: true);
        using (var peer = await ConnectAsync("b")) Assert.Null(await GreetAsync(peer, "b"));
        Assert.Equal(second, await SerialAsync());

        _certificates.Own.MakeNode("a", [], 30);
        Assert.NotEqual(first, await ChangedAsync(second));
    }

    private async Task<string> ChangedAsync(string from)
    {
        for (var deadline = DateTime.UtcNow + Limit; DateTime.UtcNow < deadline; await Task.Delay(50))
        {
            if (await SerialAsync() is var now && now != from) return now;
        }

        throw new TimeoutException("the certificate of before is shown");
    }

    /// <summary>Of the certificate that the node shows.</summary>
    private async Task<string> SerialAsync()
    {
        using var peer = await ConnectAsync("client");
        return peer.Shown!.GetSerialNumberString();
    }

    private async Task StartAsync(string? clients)
    {
        _door = clients is null ? _nodes.Door("a") : _nodes.Door("a", secret: "", _certificates.Settings("a", clients));
        var system = Neighbours.System(_door);
        _transport = _nodes.Transport(system, "a");
        var (_, listener) = await _transport.Listen();
        listener.SetResult(new Listener(_told.Writer));
        _running.Add((system, _transport));
    }

    private async Task StopAsync()
    {
        foreach (var (system, transport) in _running)
        {
            await transport.Shutdown();
            await system.Terminate();
        }

        _running.Clear();
    }

    private async Task<Peer> ConnectAsync(string? certificate, SslProtocols version = SslProtocols.None)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _nodes["a"].Port);
        var secure = new SslStream(socket.GetStream(), false, (_, shown, _, _) => shown is not null);
        using var limit = new CancellationTokenSource(Limit);
        await secure.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = version,
                // Whatever authorities the node names.
                LocalCertificateSelectionCallback = certificate is null
                    ? null
                    : (_, _, _, _, _) => _certificates[certificate],
            },
            limit.Token);
        return new Peer(socket, secure);
    }

    private TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, _nodes["b"].Port);
        listener.Start();
        return listener;
    }

    private async Task<Peer> AcceptAsync(TcpListener listener, string certificate)
    {
        var socket = await listener.AcceptTcpClientAsync().WaitAsync(Limit);
        var secure = new SslStream(socket.GetStream(), false, (_, shown, _, _) => shown is not null);
        await secure.AuthenticateAsServerAsync(
            _certificates[certificate], clientCertificateRequired: true, checkCertificateRevocation: false);
        return new Peer(socket, secure);
    }

    /// <summary>Says who it is.</summary>
    /// <returns>Why it is refused.</returns>
    private async Task<string?> GreetAsync(Peer peer, string node, Role role = Role.Node)
    {
        using var limit = new CancellationTokenSource(Limit);
        if (role == Role.Client)
        {
            await Greeting.SendAsync(peer.Stream, new Knock(role).Encode(), limit.Token);
            var welcome = Welcome.Decode((await peer.NextAsync())!)!;
            return welcome.Version == Knock.Version ? null : welcome.Refusal;
        }

        try
        {
            var door = _nodes.Door(node, secret: "", _certificates.Settings(node));
            await NodeGreeting.ConnectAsync(
                peer.Stream, peer.Incoming, door, _nodes["a"], role, port: 0, objection: null, limit.Token);
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    /// <summary>Answers a greeting as node b does.</summary>
    /// <returns>Why the other side does not take it.</returns>
    private async Task<string?> WelcomeAsync(Peer peer)
    {
        using var limit = new CancellationTokenSource(Limit);
        var knock = Knock.Decode((await peer.NextAsync())!)!;
        var door = _nodes.Door("b", secret: "", _certificates.Settings("b"));
        return await NodeGreeting.AcceptAsync(peer.Stream, peer.Incoming, door, knock, limit.Token);
    }

    private Task<AssociationHandle> AssociateAsync(string node) =>
        _transport.Associate(new Address("akka.tcp", NodeSettings.SystemName, "127.0.0.1", _nodes[node].Port));

    private async Task AssertToldOfNobodyAsync()
    {
        using var good = await ConnectAsync("b");
        Assert.Null(await GreetAsync(good, "b"));
        await AssertToldOnlyOfAsync(good);
    }

    private async Task AssertToldOnlyOfAsync(Peer peer)
    {
        var inbound = Assert.IsType<InboundAssociation>(await _told.Reader.ReadAsync().AsTask().WaitAsync(Limit));
        Assert.Equal(peer.Port, inbound.Association.RemoteAddress.Port);
        Assert.False(_told.Reader.TryRead(out _));
    }

    private static async Task AssertClosedAsync(Stream stream)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var buffer = new byte[4096];
            // It may say why before.
            while (await stream.ReadAsync(buffer, limit.Token) > 0) { }
        }
        catch (IOException)
        {
            // It was closed while more had come.
        }
    }

    private sealed class Peer(TcpClient socket, SslStream stream) : IDisposable
    {
        public SslStream Stream => stream;

        public FrameReader Incoming { get; } = new(1 << 20);

        public int Port => ((IPEndPoint)socket.Client.LocalEndPoint!).Port;

        public X509Certificate2? Shown => stream.RemoteCertificate as X509Certificate2;

        public async Task<byte[]?> NextAsync()
        {
            using var limit = new CancellationTokenSource(Limit);
            try
            {
                return await Greeting.ReceiveAsync(stream, Incoming, limit.Token);
            }
            catch (IOException)
            {
                // It was closed without a goodbye.
                return null;
            }
        }

        public void Dispose()
        {
            stream.Dispose();
            socket.Dispose();
        }
    }

    private sealed class Listener(ChannelWriter<IAssociationEvent> told) : IAssociationEventListener
    {
        public void Notify(IAssociationEvent ev) => told.TryWrite(ev);
    }
}
