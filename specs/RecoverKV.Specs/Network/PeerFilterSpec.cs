using System.Reflection;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Transport;
using CsCheck;
using Google.Protobuf;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Network;

/// <summary>What a peer may say, byte by byte.</summary>
public sealed class PeerFilterSpec : IAsyncLifetime
{
    private const string Action = "Akka.Cluster.InternalClusterAction+", Order = "Akka.Cluster.ClusterUserAction+";
    private const string Daemon = "/system/cluster/core/daemon";
    private static readonly Member Peer = Member.Parse("b@db.example:4051")!;
    private static readonly string[] Words =
    [
        .. new[] { "InitJoin", "InitJoinAck", "InitJoinNack", "Join", "Welcome", "ExitingConfirmed" }
            .Select(w => $"{Action}{w}, Akka.Cluster"),
        "Akka.Cluster.GossipEnvelope, Akka.Cluster", "Akka.Cluster.GossipStatus, Akka.Cluster", "HB", "HBR",
    ];

    private readonly List<string> _complaints = [];
    private readonly PeerFilter _filter;
    private readonly ActorSystem _system = ActorSystem.Create("specs", ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor.provider = remote
          remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }
        }
        """));

    public PeerFilterSpec() => _filter = new PeerFilter("b", Peer, _complaints.Add);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _system.Terminate();

    [Fact]
    public void Akkas_signs_pass()
    {
        AssertPasses(Pdu.Heartbeat.ToByteArray());
        for (var command = 0; command < 8; command++)
            if (command != AkkaFrames.AssociateCommand) AssertPasses(AkkaFrames.Instruction(command));
    }

    [Fact]
    public void A_peer_introduces_itself_from_where_it_is_configured()
    {
        AssertPasses(AkkaFrames.Associate(Peer));
        AssertPasses(AkkaFrames.Associate(Peer with { Host = "DB.Example" }));
        AssertDropped(AkkaFrames.Associate(Peer with { Port = 4052 }), "db.example:4052", "b@db.example:4051");
        AssertDropped(AkkaFrames.Associate(Peer with { Host = "elsewhere" }), "elsewhere:4051");
        AssertDropped(
            AkkaFrames.Instruction(AkkaFrames.AssociateCommand, AkkaFrames.Message(w => w.Int(3, 1))),
            "recoverkv.members");
        // Who is not configured is the protocol's to refuse (R12): it is told so.
        Assert.True(new PeerFilter("z", null, _complaints.Add).LetsPass(AkkaFrames.Associate(Peer)));
    }

    [Fact]
    public void Messages_between_replicas_are_in_the_peers_name()
    {
        AssertPasses(AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf("b")));
        AssertPasses(AkkaFrames.To("/user/node#123", AkkaFrames.InTheNameOf("b")));
        foreach (var other in new[] { "a", "bb", "B", "b ", "" })
            AssertDropped(AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf(other)), $"in the name of '{other}'");
        AssertDropped(AkkaFrames.To("/user/node", AkkaFrames.Payload(PeerSerializer.Id, "C", [])), "in nobody's name");
    }

    [Theory]
    [InlineData("/user")]
    [InlineData("/user/")]
    [InlineData("/user/node/")]
    [InlineData("/user/node/replica")]
    [InlineData("/user/gateway")]
    [InlineData("/user/Node")]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("akka.tcp://recoverkv@127.0.0.1:4051")]
    [InlineData("/remote/akka.tcp/recoverkv@127.0.0.1:4051/user/node")]
    [InlineData("/system/cluster/core/daemon")]
    [InlineData("/temp/$a")]
    public void Messages_between_replicas_go_to_the_replica(string path) =>
        AssertDropped(AkkaFrames.To(path, AkkaFrames.InTheNameOf("b")), "a message to");

    [Fact]
    public void What_the_actors_of_the_cluster_say_to_each_other_passes()
    {
        foreach (var word in Words)
        {
            var payload = AkkaFrames.Payload(AkkaFrames.ClusterMessages, word, [1, 2, 3]);
            AssertPasses(AkkaFrames.To(Daemon, payload));
            AssertPasses(AkkaFrames.Select(payload, "system", "cluster", "core", "daemon"));
            AssertDropped(AkkaFrames.To("/user/node", payload), "/user/node");
            AssertDropped(AkkaFrames.To("/system/clusters", payload), "/system/clusters");
            AssertDropped(AkkaFrames.To("/system/cluster", payload), "/system/cluster");
        }

        // They are Akka's own: of all its messages but the two orders, and those of routers.
        Assert.All(Words.Where(w => w.Contains('.', StringComparison.Ordinal)), w => Assert.NotNull(Type.GetType(w)));
    }

    [Theory]
    [InlineData(AkkaFrames.ClusterMessages, $"{Order}Leave, Akka.Cluster")]
    [InlineData(AkkaFrames.ClusterMessages, $"{Order}Down, Akka.Cluster")]
    [InlineData(AkkaFrames.ClusterMessages, "")]
    [InlineData(AkkaFrames.ClusterMessages, "hb")]
    [InlineData(AkkaFrames.Json, "HB")]
    [InlineData(AkkaFrames.Misc, "PP")]
    [InlineData(AkkaFrames.Misc, "K")]
    [InlineData(AkkaFrames.Misc, "HB")]
    [InlineData(AkkaFrames.SystemMessages, "T")]
    [InlineData(0, "HB")]
    [InlineData(-1, "HB")]
    [InlineData(AkkaFrames.ClusterMessages + (1L << 32), "HB")]
    public void Orders_and_whatever_else_are_dropped(long serializer, string manifest)
    {
        var payload = AkkaFrames.Payload(serializer, manifest, [1, 2, 3]);
        var what = $"(of serializer {serializer}, '{manifest}')";
        foreach (var path in
            new[] { "/user/node", Daemon, "/system/cluster/heartbeatReceiver", "/remote", "/", "/user" })
            AssertDropped(AkkaFrames.To(path, payload), what);
        AssertDropped(AkkaFrames.Select(payload, "system", "cluster", "core", "daemon"), what);
        AssertDropped(AkkaFrames.Select(payload, "user", "node"), what);
    }

    [Fact]
    public void Messages_between_replicas_are_not_sent_by_a_path_of_names()
    {
        AssertDropped(AkkaFrames.Select(AkkaFrames.InTheNameOf("b"), "user", "node"), "(of serializer 4103");
        // Nor is such a path within another.
        var inner = AkkaFrames.Payload(AkkaFrames.Selections, "", AkkaFrames.Message(
            w => w.Bytes(1, AkkaFrames.Payload(AkkaFrames.ClusterMessages, "HB", []))));
        AssertDropped(AkkaFrames.Select(inner, "user", "node"), "(of serializer 6");
        AssertDropped(AkkaFrames.To(Daemon, inner), "(of serializer 6");
    }

    [Fact]
    public void All_of_a_frame_is_looked_at()
    {
        var good = AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf("b"));
        var bad = AkkaFrames.To("/user/node", AkkaFrames.Payload(AkkaFrames.Misc, "PP", []));
        AssertDropped([.. good, .. bad], "serializer 16");
        AssertDropped([.. bad, .. good], "serializer 16");
        AssertDropped([.. Pdu.Heartbeat.ToByteArray(), .. bad], "serializer 16");
        AssertDropped([.. good, .. AkkaFrames.Associate(Peer with { Port = 1 })], "db.example:1");
        AssertDropped([.. good, 3 << 3, 1], "an unknown frame");
        AssertDropped([.. good, 0x0a], "no message");
        AssertPasses([.. good, .. good]);
    }

    /// <summary>A reader of messages between replicas stops at the first header of a version that it does not
    /// know.</summary>
    [Fact]
    public void No_header_but_the_peers_own_is_in_a_message()
    {
        static byte[] Header(string node, int version) => AkkaFrames.Message(w => w.Bytes(1, AkkaFrames.Message(h =>
        {
            h.String(1, node);
            h.Int(3, version);
        })));
        byte[] bytes = [.. Header("a", 99), .. Header("b", 3)];
        Assert.Equal("a", PeerCodec.Decode("C", bytes).Header.From.Node.Name);
        AssertDropped(
            AkkaFrames.To("/user/node", AkkaFrames.Payload(PeerSerializer.Id, "C", bytes)), "in the name of 'a'");
        AssertPasses(AkkaFrames.To(
            "/user/node", AkkaFrames.Payload(PeerSerializer.Id, "C", [.. Header("b", 99), .. Header("b", 3)])));
    }

    /// <summary>Akka's parser cuts numbers to their width.</summary>
    [Fact]
    public void An_introduction_is_one_whatever_stands_above_its_number()
    {
        var frame = AkkaFrames.Instruction(
            (1L << 32) + AkkaFrames.AssociateCommand, AkkaFrames.Handshake("elsewhere", 7));
        Assert.Equal("Associate", Read(frame).Kind);
        AssertDropped(frame, "elsewhere:7");
    }

    /// <summary>Akka's parser joins them.</summary>
    [Fact]
    public void An_introduction_is_one_in_whatever_pieces_it_comes()
    {
        var elsewhere = AkkaFrames.Instruction(0, AkkaFrames.Handshake("elsewhere", 7));
        byte[] frame = [.. AkkaFrames.Associate(Peer), .. elsewhere];
        Assert.Equal(("Associate", "elsewhere"), (Read(frame).Kind, Read(frame).Origin!.Host));
        AssertDropped(frame, "elsewhere:7");
        AssertDropped([.. elsewhere, .. AkkaFrames.Instruction(AkkaFrames.AssociateCommand)], "elsewhere:7");
    }

    [Fact]
    public void A_complaint_is_one_short_line()
    {
        AssertDropped(AkkaFrames.To(
            "/user/" + new string('x', 10_000) + "\r\n", AkkaFrames.Payload(1, new string('y', 10_000), [])));
        AssertDropped(AkkaFrames.To("/user/a\r\nb\nc", AkkaFrames.Payload(1, "\n\n", [])));
        Assert.All(_complaints, c => Assert.InRange(c.Length, 1, 400));
        Assert.All(_complaints, c => Assert.DoesNotContain('\n', c));
    }

    [Fact]
    public void Random_bytes_never_throw() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        _filter.LetsPass(bytes);
    }, threads: 1);

    [Fact]
    public void Damaged_frames_never_throw()
    {
        var frames = new[]
        {
            AkkaFrames.Associate(Peer), AkkaFrames.To("/user/node", AkkaFrames.InTheNameOf("b")),
            AkkaFrames.Select(AkkaFrames.Payload(AkkaFrames.ClusterMessages, "HB", [1]), "system", "cluster"),
        };
        Gen.Select(Gen.Int[0, frames.Length - 1], Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 4])
            .Sample((which, changes) =>
            {
                var frame = (byte[])frames[which].Clone();
                foreach (var (at, to) in changes) frame[at % frame.Length] = to;
                _filter.LetsPass(frame);
            }, threads: 1);
    }

    /// <summary>Against Akka's own parser, which joins what stands in a frame twice.</summary>
    [Fact]
    public void What_passes_is_allowed_as_Akka_reads_it()
    {
        var passed = new Dictionary<string, int>();
        Gen.Int.Sample(
            seed =>
            {
                var frame = new Maker(new Random(seed)).Frame();
                _complaints.Clear();
                if (!_filter.LetsPass(frame)) return;
                var (kind, origin, path, payload) = Read(frame);
                passed[kind] = passed.GetValueOrDefault(kind) + 1;
                if (kind == "Associate") Assert.Equal((Peer.Host, Peer.Port), (origin!.Host, origin.Port));
                if (kind != "Message") return;
                var (serializer, manifest, bytes) = payload;
                if (serializer == PeerSerializer.Id && path == "/user/node")
                    Assert.Equal("b", SpeakerOf(manifest, bytes) ?? "b");
                else if (serializer == AkkaFrames.ClusterMessages
                    && path.StartsWith("/system/cluster/", StringComparison.Ordinal))
                    Assert.Contains(manifest, Words);
                else
                    Assert.Equal((AkkaFrames.Selections, "/"), (serializer, path));
            },
            iter: 20_000, threads: 1);
        Assert.All(
            new[] { "Associate", "Message", "Heartbeat" },
            kind => Assert.True(passed.GetValueOrDefault(kind) > 20, kind));
    }

    private void AssertPasses(byte[] frame)
    {
        Assert.True(_filter.LetsPass(frame), string.Join("; ", _complaints));
        Assert.Empty(_complaints);
    }

    private void AssertDropped(byte[] frame, params string[] why)
    {
        var before = _complaints.Count;
        Assert.False(_filter.LetsPass(frame));
        Assert.Equal(before + 1, _complaints.Count);
        Assert.All(why, w => Assert.Contains(w, _complaints[^1], StringComparison.Ordinal));
        if (why.Length > 0) _complaints.Clear();
    }

    private static string? SpeakerOf(string manifest, byte[] bytes)
    {
        try
        {
            return PeerCodec.Decode(manifest, bytes).Header.From.Node.Name;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>As Akka's own codec reads it, which is internal.</summary>
    private (string Kind, Address? Origin, string Path, (int Serializer, string Manifest, byte[] Bytes) Payload) Read(
        byte[] frame)
    {
        var none = (0, "", Array.Empty<byte>());
        var type = typeof(AssociationHandle).Assembly.GetType("Akka.Remote.Transport.AkkaPduProtobuffCodec")!;
        var codec = Activator.CreateInstance(type, _system)!;
        object pdu;
        try
        {
            pdu = type.GetMethod("DecodePdu")!.Invoke(codec, [ByteString.CopyFrom(frame)])!;
        }
        catch (TargetInvocationException)
        {
            return ("nothing", null, "", none);
        }

        if (pdu.GetType().Name == "Associate") return ("Associate", (Address)Get(Get(pdu, "Info"), "Origin"), "", none);
        if (pdu.GetType().Name != "Payload") return (pdu.GetType().Name, null, "", none);
        object message;
        try
        {
            var provider = ((ExtendedActorSystem)_system).Provider;
            var decoded = type.GetMethod("DecodeMessage")!.Invoke(
                codec, [Get(pdu, "Bytes"), provider, provider.DefaultAddress])!;
            message = Get(decoded, "MessageOption");
        }
        catch (TargetInvocationException)
        {
            return ("nothing", null, "", none);
        }

        if (message is null) return ("nothing", null, "", none);
        var path = ((IActorRef)Get(message, "Recipient")).Path;
        var serialized = Get(message, "SerializedMessage");
        return ("Message", null, path.ToStringWithoutAddress(), (
            (int)Get(serialized, "SerializerId"), ((ByteString)Get(serialized, "MessageManifest")).ToStringUtf8(),
            ((ByteString)Get(serialized, "Message")).ToByteArray()));
    }

    private static object Get(object from, string property) =>
        from.GetType().GetProperty(
            property, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(from)!;

    /// <summary>Makes frames of what may stand in one, some of it twice, some of it not at all.</summary>
    private sealed class Maker(Random random)
    {
        public byte[] Frame() => AkkaFrames.Message(w =>
        {
            for (var i = Some(); i > 0; i--)
            {
                if (random.Next(3) == 0) w.AlwaysBytes(2, Instruction());
                else w.AlwaysBytes(1, AkkaFrames.Message(c => Repeat(c, 2, Envelope)));
            }
        });

        // Mostly one.
        private int Some() => random.Next(6) switch { 0 => 0, 1 => 2, _ => 1 };

        private T Any<T>(params T[] of) => of[random.Next(of.Length)];

        private void Repeat(WireWriter to, int field, Func<byte[]> make)
        {
            for (var i = Some(); i > 0; i--) to.AlwaysBytes(field, make());
        }

        private byte[] Instruction() => AkkaFrames.Message(w =>
        {
            if (random.Next(2) == 0) Repeat(w, 2, Handshake);
            for (var i = Some(); i > 0; i--) w.AlwaysInt(1, Any(1, 1, 1, 2, 3, 3, 1 + (1L << 32), (1L << 32)));
            Repeat(w, 2, Handshake);
        });

        private byte[] Handshake() => AkkaFrames.Message(w => Repeat(w, 1, () => AkkaFrames.Message(a =>
        {
            a.String(1, "recoverkv");
            for (var i = Some(); i > 0; i--) a.AlwaysString(2, Any(Peer.Host, Peer.Host, Peer.Host, "elsewhere"));
            for (var i = Some(); i > 0; i--) a.AlwaysInt(3, Any(Peer.Port, Peer.Port, Peer.Port, 7));
            a.String(4, "akka.tcp");
        })));

        private byte[] Envelope() => AkkaFrames.Message(w =>
        {
            if (random.Next(2) == 0) Repeat(w, 2, Payload);
            Repeat(w, 1, () => AkkaFrames.Message(r =>
            {
                for (var i = Some(); i > 0; i--)
                {
                    var path = Any(
                        "/user/node", "/user/node", Daemon, Daemon, "/", "/user/other", "/user/node/replica");
                    r.AlwaysString(1, $"akka.tcp://recoverkv@127.0.0.1:4051{path}");
                }
            }));
            Repeat(w, 2, Payload);
        });

        private byte[] Payload() => AkkaFrames.Message(w =>
        {
            Repeat(w, 1, Body);
            for (var i = Some(); i > 0; i--)
                w.AlwaysInt(
                    2, Any<long>(PeerSerializer.Id, PeerSerializer.Id, 5, 5, 6, AkkaFrames.Misc, 5 + (1L << 32)));
            for (var i = Some(); i > 0; i--) w.AlwaysString(3, Any("C", "HB", "HB", $"{Order}Leave, Akka.Cluster", ""));
        });

        private byte[] Body() => AkkaFrames.Message(w => Repeat(w, 1, () => AkkaFrames.Message(h =>
        {
            for (var i = Some(); i > 0; i--) h.AlwaysString(1, Any("b", "b", "b", "a"));
            h.Int(3, Any(3, 3, 99));
            h.String(4, "a");
        })));
    }
}
