using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using CsCheck;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>Who gets in at a node's port, and whom a node connects to. Of the rest Akka does not hear.</summary>
public sealed class DoorSpec : IAsyncLifetime
{
    private const string OtherSecret = "another secret than theirs";
    private static readonly TimeSpan Limit = BarePeer.Limit;
    private static readonly byte[] Nonce = new byte[16];
    private readonly Neighbours _nodes = new("a", "b", "c");
    private readonly Channel<IAssociationEvent> _told = Channel.CreateUnbounded<IAssociationEvent>();
    private readonly Channel<object> _asked = Channel.CreateUnbounded<object>();
    private readonly Door _door;
    private readonly ActorSystem _system;
    private readonly SocketTransport _transport;

    public DoorSpec()
    {
        _door = _nodes.Door("a");
        _system = Neighbours.System(_door);
        _transport = _nodes.Transport(_system, "a");
    }

    public async Task InitializeAsync()
    {
        var (_, listener) = await _transport.Listen();
        listener.SetResult(new Listener(_told.Writer));
        _door.Open(_system.ActorOf(Props.Create(() => new Gateway(_asked.Writer))));
    }

    public async Task DisposeAsync()
    {
        await _transport.Shutdown();
        await _system.Terminate();
    }

    [Fact]
    public async Task Who_knows_the_secret_gets_in()
    {
        using var peer = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(peer);
        Assert.Equal(_door.Proof(accepts: true, knock, welcome.Nonce), welcome.Proof);
        await ProveAsync(peer, _nodes.Door("b").Proof(accepts: false, knock, welcome.Nonce));
        Assert.Equal(Knock.Version, (await peer.WelcomeAsync())!.Version);
        await AssertToldOnlyOfAsync(peer);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused()
    {
        using var peer = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(peer);
        await ProveAsync(peer, _nodes.Door("b", OtherSecret).Proof(accepts: false, knock, welcome.Nonce));
        await AssertRefusedAsync(peer, "recoverkv.secret");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public async Task A_proof_that_is_none_is_refused(int length)
    {
        using var peer = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(peer);
        var proof = _nodes.Door("b").Proof(accepts: false, knock, welcome.Nonce);
        Array.Resize(ref proof, length);
        await ProveAsync(peer, proof);
        await AssertRefusedAsync(peer, "recoverkv.secret");
    }

    [Fact]
    public async Task What_is_no_answer_is_refused()
    {
        using var peer = await ConnectAsync();
        await HelloAsync(peer);
        await peer.SendAsync(0xff);
        await AssertRefusedAsync(peer, "recoverkv.secret");
    }

    [Fact]
    public async Task A_greeting_is_good_once()
    {
        using var peer = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(peer);
        var proof = _nodes.Door("b").Proof(accepts: false, knock, welcome.Nonce);
        await ProveAsync(peer, proof);
        Assert.Equal(Knock.Version, (await peer.WelcomeAsync())!.Version);
        await ToldOfAsync(peer);

        using var listener = await ConnectAsync();
        await listener.SendAsync(knock.Encode());
        var second = (await listener.WelcomeAsync())!;
        Assert.NotEqual(welcome.Nonce, second.Nonce);
        Assert.NotEqual(welcome.Proof, second.Proof);
        await ProveAsync(listener, proof);
        await AssertRefusedAsync(listener, "recoverkv.secret");
    }

    [Fact]
    public async Task The_nodes_own_proof_does_not_open_it()
    {
        using var peer = await ConnectAsync();
        var (_, welcome) = await HelloAsync(peer);
        await ProveAsync(peer, welcome.Proof.ToArray());
        await AssertRefusedAsync(peer, "recoverkv.secret");
    }

    [Fact]
    public async Task A_proof_for_another_greeting_does_not_open_it()
    {
        foreach (var change in new Func<Knock, Knock>[]
        {
            h => h with { From = "c" }, h => h with { To = "c" }, h => h with { Role = Role.Lane },
            h => h with { Port = 7 },
            h => h with { Nonce = Nonce }, h => h with { Newest = 9 },
        })
        {
            using var peer = await ConnectAsync();
            var (knock, welcome) = await HelloAsync(peer);
            await ProveAsync(peer, _nodes.Door("b").Proof(accepts: false, change(knock), welcome.Nonce));
            await AssertRefusedAsync(peer, "recoverkv.secret");
        }
    }

    [Theory]
    [InlineData("", 16)]
    [InlineData("a/b", 16)]
    [InlineData("b", 0)]
    [InlineData("b", 15)]
    [InlineData("b", 17)]
    public async Task Who_does_not_greet_as_a_node_is_refused(string from, int nonce)
    {
        using var peer = await ConnectAsync();
        await peer.SendAsync(new Knock(Role.Node, From: from, To: "a", Nonce: new byte[nonce]).Encode());
        await AssertRefusedAsync(peer, "does not greet as nodes do");
    }

    /// <summary>Otherwise a node would prove to one in another's place that it is that other.</summary>
    [Fact]
    public async Task Who_means_another_node_is_refused()
    {
        using var peer = await ConnectAsync();
        await peer.SendAsync(new Knock(Role.Node, From: "b", To: "c", Nonce: Nonce).Encode());
        await AssertRefusedAsync(peer, "recoverkv.members");
    }

    [Theory]
    [InlineData(Role.Node, 1, Knock.Version - 1)]
    [InlineData(Role.Node, Knock.Version + 1, Knock.Version + 2)]
    [InlineData(Role.Client, 1, Knock.Version - 1)]
    [InlineData(Role.Client, Knock.Version + 1, int.MaxValue)]
    public async Task Who_speaks_other_versions_is_told_so(object role, int oldest, int newest)
    {
        using var peer = await ConnectAsync();
        await peer.SendAsync(new Knock((Role)role, oldest, newest, "b", "a", Nonce).Encode());
        await AssertRefusedAsync(peer, $"versions {oldest} to {newest}");
    }

    [Fact]
    public async Task Who_speaks_this_version_among_others_gets_in()
    {
        using var peer = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(peer, h => h with { Oldest = 1, Newest = 99 });
        await ProveAsync(peer, _nodes.Door("b").Proof(accepts: false, knock, welcome.Nonce));
        Assert.Equal(Knock.Version, (await peer.WelcomeAsync())!.Version);
        await AssertToldOnlyOfAsync(peer);
    }

    [Fact]
    public async Task What_is_no_hello_is_closed_without_a_word()
    {
        var random = new Random(5);
        var noise = new byte[200];
        random.NextBytes(noise);
        var strange = new Knock(Role.Node, From: "b", To: "a", Nonce: Nonce);
        foreach (var frame in new[]
        {
            [], [0], noise, new byte[Knock.Longest], AkkaFrames.Associate(_nodes["b"]),
            AkkaFrames.Instruction(AkkaFrames.HeartbeatCommand),
            AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf("b")), new Welcome(Knock.Version).Encode(),
            (strange with { Role = 0 }).Encode(), (strange with { Role = (Role)4 }).Encode(),
            (strange with { Port = 65536 }).Encode(),
            [.. strange.Encode(), 0xff],
        })
        {
            using var peer = await ConnectAsync();
            await peer.SendAsync(frame);
            Assert.Null(await peer.NextAsync());
        }

        await AssertToldOfNobodyAsync();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    [InlineData("\0\0\u0001\0")]
    public async Task What_sends_no_frames_is_closed_without_a_word(string text)
    {
        using var peer = await ConnectAsync();
        await peer.Stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        if (text.Length < Frame.Header) peer.Socket.Client.Shutdown(SocketShutdown.Send);
        Assert.Null(await peer.NextAsync());
        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task No_frame_of_a_greeting_is_long()
    {
        using var peer = await ConnectAsync();
        await HelloAsync(peer);
        await peer.Stream.WriteAsync(BitConverter.GetBytes(Knock.Longest + 1));
        Assert.Null(await peer.NextAsync());
        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task A_lane_for_the_link_of_another_node_is_closed()
    {
        using var link = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        await ToldOfAsync(link);
        using var lane = await BarePeer.GreetAsync(_nodes.Door("c"), _nodes["a"], Role.Lane, link.Port);
        Assert.Null(await lane.NextAsync());
        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task A_lane_without_the_secret_is_refused()
    {
        using var link = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        await ToldOfAsync(link);
        using var lane = await ConnectAsync();
        var (knock, welcome) = await HelloAsync(lane, h => h with { Role = Role.Lane, Port = link.Port });
        await ProveAsync(lane, _nodes.Door("b", OtherSecret).Proof(accepts: false, knock, welcome.Nonce));
        await AssertRefusedAsync(lane, "recoverkv.secret");
    }

    [Fact]
    public async Task Where_there_is_no_secret_there_are_no_peers()
    {
        var alone = new Neighbours("a");
        var door = new Door(alone.Settings("a", secret: ""));
        var system = Neighbours.System(door);
        var transport = alone.Transport(system, "a");
        var (_, listener) = await transport.Listen();
        listener.SetResult(new Listener(_told.Writer));
        using (var peer = await BarePeer.ConnectAsync(alone["a"]))
        {
            // As good as known: it is empty.
            await peer.SendAsync(new Knock(Role.Node, From: "b", To: "a", Nonce: Nonce).Encode());
            await AssertRefusedAsync(peer, "no recoverkv.secret");
        }

        await transport.Shutdown();
        await system.Terminate();
    }

    /// <summary>A client needs no secret, and is heard by the gateway alone.</summary>
    [Fact]
    public async Task Of_clients_Akka_does_not_hear_whatever_they_say()
    {
        using var client = await ClientAsync();
        var request = new ClusterViewRequest(5);
        await client.SendAsync([.. ClientCodec.Head(request), .. ClientCodec.Encode(request).Written]);
        Assert.Equal(request, await _asked.Reader.ReadAsync().AsTask().WaitAsync(Limit));
        // What it was asked comes back.
        Assert.Equal(request, ClientCodec.Decode((await client.NextAsync())!));

        foreach (var frame in new[]
        {
            AkkaFrames.Associate(_nodes["b"]), AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf("b")),
            new Knock(Role.Node, From: "b", To: "a", Nonce: Nonce).Encode(),
        })
        {
            using var other = await ClientAsync();
            await other.SendAsync(frame);
            if (await other.NextAsync() is { } answer) Assert.IsType<UnknownMessage>(ClientCodec.Decode(answer));
        }

        await AssertToldOfNobodyAsync();
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_is_not_connected_to()
    {
        using var listener = Listen("b");
        var associating = AssociateAsync("b");
        var (peer, knock) = await BarePeer.AcceptAsync(listener);
        using var _ = peer;
        using var limit = new CancellationTokenSource(Limit);
        var ignorant = _nodes.Door("b", OtherSecret);
        // It is named on that side, too.
        var refusal = await NodeGreeting.AcceptAsync(peer.Stream, peer.Incoming, ignorant, knock, limit.Token);
        Assert.Contains("recoverkv.secret", refusal, StringComparison.Ordinal);
        await AssertFailsAsync(associating, "recoverkv.secret");
    }

    [Fact]
    public async Task Who_says_what_another_has_proven_is_not_connected_to()
    {
        using var listener = Listen("b");
        var associating = AssociateAsync("b");
        var (peer, knock) = await BarePeer.WelcomeAsync(listener, _nodes.Door("b"));
        using var first = peer;
        await associating;

        associating = AssociateAsync("b");
        (peer, var second) = await BarePeer.AcceptAsync(listener);
        using var next = peer;
        Assert.NotEqual(knock.Nonce, second.Nonce);
        var proof = _nodes.Door("b").Proof(accepts: true, knock, Nonce);
        await peer.SendAsync(new Welcome(Knock.Version, Nonce: Nonce, Proof: proof).Encode());
        // Nothing is proven to it.
        var answer = await peer.WelcomeAsync();
        Assert.Equal((0, 0), (answer!.Version, answer.Proof.Length));
        Assert.Null(await peer.NextAsync());
        await AssertFailsAsync(associating, "recoverkv.secret");
    }

    [Theory]
    [InlineData("a")]
    [InlineData("c")]
    public async Task Who_stands_in_the_place_of_a_node_gets_its_proof_from_no_other(string other)
    {
        var door = _nodes.Door("c");
        var system = Neighbours.System(door);
        var transport = _nodes.Transport(system, "c");
        var (_, told) = await transport.Listen();
        told.SetResult(new Listener(_told.Writer));
        using (var listener = Listen("b"))
        {
            var associating = AssociateAsync("b");
            var (peer, knock) = await BarePeer.AcceptAsync(listener);
            using var _ = peer;
            using var oracle = await BarePeer.ConnectAsync(_nodes[other]);
            await oracle.SendAsync(knock.Encode());
            await peer.SendAsync((await oracle.NextAsync())!);
            await AssertFailsAsync(associating, "recoverkv.members");
            await AssertToldOfNobodyAsync();
        }

        await transport.Shutdown();
        await system.Terminate();
    }

    [Theory]
    [InlineData(new byte[] { 0xff }, "does not answer as a node does")]
    [InlineData(null, "closes the connection")]
    public async Task Who_answers_otherwise_is_not_connected_to(byte[]? answer, string why)
    {
        using var listener = Listen("b");
        var associating = AssociateAsync("b");
        var (peer, _) = await BarePeer.AcceptAsync(listener);
        using var __ = peer;
        if (answer is null) peer.Dispose();
        else await peer.SendAsync(answer);
        await AssertFailsAsync(associating, why);
    }

    [Fact]
    public async Task Why_a_node_is_refused_is_in_the_failure()
    {
        using var listener = Listen("b");
        var associating = AssociateAsync("b");
        var (peer, _) = await BarePeer.AcceptAsync(listener);
        using var __ = peer;
        await peer.SendAsync(new Welcome(0, "this node is tired").Encode());
        await AssertFailsAsync(associating, "this node is tired");
    }

    [Fact]
    public async Task Nobody_but_members_is_connected_to()
    {
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        var port = ((IPEndPoint)stranger.LocalEndpoint).Port;
        foreach (var address in new[]
        {
            new Address("akka.tcp", "recoverkv", "127.0.0.1", port),
            new Address("akka.tcp", "recoverkv", "127.0.0.2", _nodes["b"].Port),
            new Address("akka.tcp", "recoverkv"),
        })
        {
            await AssertFailsAsync(_transport.Associate(address), "recoverkv.members");
        }

        Assert.False(stranger.Pending());
    }

    [Fact]
    public void Both_nonces_the_side_and_the_secret_are_in_a_proof()
    {
        var knock = new Knock(Role.Node, From: "b", To: "a", Nonce: Nonce);
        var other = RandomNumberGenerator.GetBytes(16);
        var proofs = new[]
        {
            _door.Proof(true, knock, Nonce), _door.Proof(false, knock, Nonce), _door.Proof(true, knock, other),
            _door.Proof(true, knock with { Nonce = other }, Nonce),
            _nodes.Door("a", OtherSecret).Proof(true, knock, Nonce),
        };
        Assert.Equal(proofs.Length, proofs.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(proofs[0], _nodes.Door("b").Proof(true, knock, Nonce));
    }

    [Fact]
    public void Greetings_come_out_as_they_went_in_and_damaged_ones_never_throw()
    {
        var knock = new Knock(Role.Lane, 2, 4, "b", "a", new byte[] { 1, 2, 3 }, 65535).Encode();
        var welcome = new Welcome(3, "why", new byte[] { 4 }, new byte[] { 5, 6 }).Encode();
        Assert.Equal(knock, Knock.Decode(knock)!.Encode());
        Assert.Equal(welcome, Welcome.Decode(welcome)!.Encode());
        Gen.Select(Gen.Bool, Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 4], Gen.Int[0, 50])
            .Sample((which, changes, end) =>
            {
                var frame = (byte[])(which ? knock : welcome).Clone();
                foreach (var (at, to) in changes) frame[at % frame.Length] = to;
                frame = frame[..Math.Min(frame.Length, end)];
                _ = Knock.Decode(frame);
                _ = Welcome.Decode(frame);
            });
    }

    private Task<BarePeer> ConnectAsync() => BarePeer.ConnectAsync(_nodes["a"]);

    /// <summary>A connection that was welcomed as a client's.</summary>
    private async Task<BarePeer> ClientAsync()
    {
        var client = await ConnectAsync();
        await client.SendAsync(new Knock(Role.Client).Encode());
        var welcome = (await client.WelcomeAsync())!;
        Assert.Equal((Knock.Version, ""), (welcome.Version, welcome.Refusal));
        return client;
    }

    /// <summary>Greets as b; with the answer.</summary>
    private static async Task<(Knock Knock, Welcome Welcome)> HelloAsync(
        BarePeer peer, Func<Knock, Knock>? change = null)
    {
        var knock = new Knock(Role.Node, From: "b", To: "a", Nonce: RandomNumberGenerator.GetBytes(16));
        knock = change?.Invoke(knock) ?? knock;
        await peer.SendAsync(knock.Encode());
        var welcome = (await peer.WelcomeAsync())!;
        Assert.Equal((Knock.Version, ""), (welcome.Version, welcome.Refusal));
        return (knock, welcome);
    }

    private static Task ProveAsync(BarePeer peer, byte[] proof) =>
        peer.SendAsync(new Welcome(Knock.Version, Proof: proof).Encode());

    private async Task AssertRefusedAsync(BarePeer peer, string why)
    {
        var welcome = (await peer.WelcomeAsync())!;
        Assert.Equal(0, welcome.Version);
        Assert.Contains(why, welcome.Refusal, StringComparison.Ordinal);
        Assert.Null(await peer.NextAsync());
        await AssertToldOfNobodyAsync();
    }

    private async Task AssertToldOfNobodyAsync()
    {
        using var good = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        await AssertToldOnlyOfAsync(good);
    }

    private async Task AssertToldOnlyOfAsync(BarePeer peer)
    {
        await ToldOfAsync(peer);
        Assert.False(_told.Reader.TryRead(out _));
    }

    private async Task ToldOfAsync(BarePeer peer)
    {
        var inbound = Assert.IsType<InboundAssociation>(await _told.Reader.ReadAsync().AsTask().WaitAsync(Limit));
        Assert.Equal(peer.Port, inbound.Association.RemoteAddress.Port);
    }

    private TcpListener Listen(string node)
    {
        var listener = new TcpListener(IPAddress.Loopback, _nodes[node].Port);
        listener.Start();
        return listener;
    }

    private Task<AssociationHandle> AssociateAsync(string node) =>
        _transport.Associate(new Address("akka.tcp", NodeSettings.SystemName, "127.0.0.1", _nodes[node].Port));

    private static async Task AssertFailsAsync(Task<AssociationHandle> associating, string why)
    {
        var failure = await Assert.ThrowsAsync<InvalidAssociationException>(() => associating.WaitAsync(Limit));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    private sealed class Listener(ChannelWriter<IAssociationEvent> told) : IAssociationEventListener
    {
        public void Notify(IAssociationEvent ev) => told.TryWrite(ev);
    }

    private sealed class Gateway : ReceiveActor
    {
        public Gateway(ChannelWriter<object> asked) => ReceiveAny(message =>
        {
            asked.TryWrite(message);
            Sender.Tell(message);
        });
    }
}
