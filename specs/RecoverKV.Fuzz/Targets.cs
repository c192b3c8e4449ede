using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.Serialization;
using System.Text;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;
using RecoverKV.Host.Records;
using RecoverKV.Simulation;

namespace RecoverKV.Fuzz;

/// <summary>Every decoder that bytes from outside reach.</summary>
public static class Targets
{
    private static readonly PeerSerializer Peer = new(null!);

    /// <summary>All of them; names are distinct.</summary>
    public static IReadOnlyList<Target> All { get; } =
    [
        .. TypesOf<IClientMessage>().Select(ClientMessage),
        .. TypesOf<PeerMessage>().Select(PeerMessage),
        .. TypesOf<Fact>().Select(Event),
        FrameTarget.Make(),
        ClientFrame(),
        Greeting(
            "knock",
            random => new Knock((Role)(1 + random.Below(3)), From: "n1", To: "n2", Nonce: new byte[16]).Encode(),
            Knock.Decode),
        Greeting(
            "welcome",
            random => new Welcome(random.Below(4), "why", new byte[16], new byte[32]).Encode(),
            Welcome.Decode),
        PeerFrame(),
        .. RecordFormat.All.Select(RecordTarget.Make),
        Settings(),
    ];

    private static IEnumerable<Type> TypesOf<T>() =>
        typeof(T).Assembly.GetTypes()
            .Where(t => t.IsAssignableTo(typeof(T)) && !t.IsAbstract && t != typeof(Unreadable))
            .OrderBy(t => t.Name);

    /// <summary>What a client sends to a node or a node to a client. What was taken can be sent on.</summary>
    private static Target ClientMessage(Type type)
    {
        var manifest = ClientCodec.ManifestOf(new Arbitrary(new Prng(1)).Of(type));
        return new Target(
            $"client message {type.Name}",
            random => ClientCodec.Encode(new Arbitrary(random).Of(type)).ToArray(),
            bytes => ClientCodec.Encode(ClientCodec.Decode(manifest, bytes)),
            e => e is FormatException);
    }

    /// <summary>A frame of a client's connection.</summary>
    private static Target ClientFrame() => new(
        "client frame",
        random =>
        {
            var message = new Arbitrary(random).Of(typeof(ReadBatch));
            return [.. ClientCodec.Head(message), .. ClientCodec.Encode(message).Written];
        },
        bytes => ClientCodec.Decode(bytes),
        e => e is FormatException);

    /// <summary>What is said first over a connection: nothing is thrown, whatever it is.</summary>
    private static Target Greeting(string name, Func<Prng, byte[]> valid, Func<byte[], object?> decode) =>
        new(name, valid, bytes => decode(bytes), _ => false);

    /// <summary>A frame of Akka's from a peer, which is looked through before Akka gets it: nothing is
    /// thrown.</summary>
    private static Target PeerFrame()
    {
        var filter = new PeerFilter("n1", Member.Parse("n1@127.0.0.1:4051"), _ => { });
        return new Target("peer frame", EnvelopeOfAkka, bytes => filter.LetsPass(bytes), _ => false);
    }

    private static byte[] EnvelopeOfAkka(Prng random)
    {
        var message = PeerCodec.Encode(new PeerEnvelope(
            new Header(new MemberId(new NodeId("n1"), Guid.Empty), new NodeId("n2"), Guid.Empty, 7),
            new Handover(new Epoch(random.Below(9)))));
        var writer = new WireWriter();
        var container = writer.Begin(1);
        var envelope = writer.Begin(2);
        var recipient = writer.Begin(1);
        writer.String(1, "akka.tcp://recoverkv@127.0.0.1:4052/user/node");
        writer.End(recipient);
        var payload = writer.Begin(2);
        writer.Bytes(1, message);
        writer.Int(2, PeerSerializer.Id);
        writer.String(3, "c");
        writer.End(payload);
        writer.End(envelope);
        writer.End(container);
        return writer.ToArray();
    }

    /// <summary>What a replica sends to another one: the data path in Protobuf; of control messages, which are
    /// Hyperion's in an envelope, the inside.</summary>
    private static Target PeerMessage(Type type)
    {
        PeerMessage Message(Prng random) => (PeerMessage)new Arbitrary(random).Of(type);

        // What Hyperion makes once is no memory of an input; also a message of another version may be the first to need
        // it.
        ControlCodec.Prepare();
        var manifest = PeerCodec.Manifest(Message(new Prng(1)));
        if (manifest == PeerCodec.Manifest(new Handover(default)))
        {
            return new Target(
                $"control message {type.Name}",
                random => ControlCodec.Encode(Message(random)),
                content => Peer.ToBinary(Peer.FromBinary(InEnvelope(content), manifest)),
                e => e is SerializationException)
            {
                Words = [.. Hyperion()],
                // Hyperion throws again at each level that it has come to, with a longer text: up to some 400 KB,
                // however long the input is, as there are only so many levels.
                Fixed = 512 * 1024,
            };
        }

        return new Target(
            $"message between nodes {type.Name}",
            random => Peer.ToBinary(new PeerEnvelope(SomeHeader(random), Message(random))),
            bytes => Peer.ToBinary(Peer.FromBinary(bytes, manifest)),
            e => e is SerializationException);
    }

    private static Header SomeHeader(Prng random) =>
        new((MemberId)new Arbitrary(random).Of(typeof(MemberId)), new NodeId("node2"), random.Guid(), random.Next());

    private static byte[] InEnvelope(byte[] content)
    {
        var writer = new WireWriter(content.Length + 64);
        WireTypes.Write(
            writer, 1, new Header(new MemberId(new NodeId("node1"), Guid.Empty), new NodeId("node2"), default, 0));
        writer.AlwaysBytes(2, content);
        return writer.ToArray();
    }

    /// <summary>Its manifests: null, an array, a known type, a type by its name.</summary>
    private static IEnumerable<byte[]> Hyperion() =>
        [
            [0], [252], [252, 254, 13, 0], [254, 0, 0], [254, 3, 0], [254, 8, 0], [254, 13, 0], [255, 8, 0, 0, 0],
            [9, 255, 255, 255, 119], [16]
        ];

    /// <summary>What the journal holds, under a checksum that is right: as a later version, or a mistake, would write
    /// it.
    /// </summary>
    private static Target Event(Type type)
    {
        const int before = 5;
        var manifest = FactCodec.Manifest((Fact)new Arbitrary(new Prng(1)).Of(type));
        return new Target(
            $"journal event {type.Name}",
            random => FactCodec.Encode((Fact)new Arbitrary(random).Of(type))[before..],
            content => FactCodec.Encode(FactCodec.Decode(manifest, Sealed(content))),
            e => e is FormatException);
    }

    private static byte[] Sealed(byte[] content)
    {
        const byte checksum = 1 << 3 | 5;
        var bytes = new byte[5 + content.Length];
        bytes[0] = checksum;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(1), Crc32.HashToUInt32(content));
        content.CopyTo(bytes, 5);
        return bytes;
    }

    private static Target Settings() => new(
        "settings (HOCON)",
        random => Encoding.UTF8.GetBytes(random.Pick(SettingsTexts.All)),
        bytes => NodeSettings.Load(NodeSettings.Parse(Encoding.UTF8.GetString(bytes))),
        e => e is InvalidSettingsException)
    {
        Words = [.. SettingsTexts.Words.Select(Encoding.UTF8.GetBytes)],
        // The parser is Akka's: every key is looked up in every file of defaults, and all of that is made anew.
        Fixed = 16 * 1024 * 1024,
        PerByte = 4096,
        Longest = 16 * 1024,
    };
}
