using System.Buffers.Binary;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Network;

/// <summary>What Akka.Remote sends over a connection, made by hand.</summary>
internal static class AkkaFrames
{
    /// <summary>Akka's commands.</summary>
    public const int AssociateCommand = 1, DisassociateCommand = 2, HeartbeatCommand = 3;

    /// <summary>Akka's identifiers of serializers.</summary>
    public const int Json = 1, ClusterMessages = 5, Selections = 6, Misc = 16, SystemMessages = 22;

    /// <summary>With which a system introduces itself that is there.</summary>
    public static byte[] Associate(Member member, int uid = 1) =>
        Instruction(AssociateCommand, Handshake(member.Host, member.Port, uid));

    /// <summary>An instruction of Akka's protocol.</summary>
    public static byte[] Instruction(long command, byte[]? handshake = null) => Message(
        w => w.Bytes(2, Message(i =>
        {
            i.Int(1, command);
            i.Bytes(2, handshake);
        })));

    /// <summary>Who introduces itself.</summary>
    public static byte[] Handshake(string host, int port, int uid = 1) => Message(w =>
    {
        w.Bytes(1, Message(a =>
        {
            a.String(1, NodeSettings.SystemName);
            a.String(2, host);
            a.Int(3, port);
            a.String(4, "akka.tcp");
        }));
        // A fixed64.
        var bytes = new byte[9];
        bytes[0] = 2 << 3 | 1;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), uid);
        w.Raw(bytes);
    });

    /// <summary>A message to an actor.</summary>
    public static byte[] To(string path, byte[] payload) =>
        Message(w => w.Bytes(1, Message(c => c.Bytes(2, Envelope(path, payload)))));

    /// <summary>The same, without what is around it.</summary>
    public static byte[] Envelope(string path, byte[] payload) => Message(w =>
    {
        w.Bytes(
            1, Message(r => r.String(1, path.StartsWith('/') ? $"akka.tcp://recoverkv@127.0.0.1:4051{path}" : path)));
        w.Bytes(2, payload);
    });

    /// <summary>A serialized message.</summary>
    public static byte[] Payload(long serializer, string manifest, byte[] bytes) => Message(w =>
    {
        w.Bytes(1, bytes);
        w.Int(2, serializer);
        w.String(3, manifest);
    });

    /// <summary>A message to whom this path of names leads.</summary>
    public static byte[] Select(byte[] payload, params string[] names) => To("/", Payload(Selections, "", Message(w =>
    {
        w.AlwaysBytes(1, payload);
        foreach (var name in names)
        {
            w.Bytes(2, Message(s =>
            {
                s.Int(1, 1);
                s.String(2, name);
            }));
        }
    })));

    /// <summary>A message between replicas in the name of this node.</summary>
    public static byte[] InTheNameOf(string node)
    {
        var header = new Header(new MemberId(new NodeId(node), Guid.Empty), new NodeId("b"), default, 0);
        var envelope = new PeerEnvelope(header, new Commit(new Epoch(1), new Uid(1)));
        return Payload(PeerSerializer.Id, PeerCodec.Manifest(envelope.Message), PeerCodec.Encode(envelope));
    }

    /// <summary>Of the wire's form.</summary>
    public static byte[] Message(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.ToArray();
    }
}
