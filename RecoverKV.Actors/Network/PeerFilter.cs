using System.Text;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Network;

/// <summary>
/// What a peer may say over its connection: the messages between replicas, in its own name; what Akka.Cluster's own
/// actors say to each other; and the signs of Akka's protocol. Anything else that Akka.Remote would take (orders to
/// actors and to the cluster, deployment, watches, messages to other actors) is dropped before any of it is decoded.
/// Used on a strand.
/// </summary>
/// <param name="peer">The id that the peer has proven to have.</param>
/// <param name="member">As it is configured here; null if it is not.</param>
/// <param name="complain">Told, in words, what was dropped.</param>
internal sealed class PeerFilter(string peer, Member? member, Action<string> complain)
{
    /// <summary>Akka's identifiers of serializers: Akka.Cluster's messages, and messages by a path of names.</summary>
    private const int ClusterMessages = 5, Selection = 6;

    private const int PeerMessages = Serialization.PeerSerializer.Id;

    /// <summary>Manifests of what the actors of Akka.Cluster say. To leave, or to take another node down, is no order
    /// that anybody may give from outside.</summary>
    private static readonly HashSet<string> Words =
    [
        .. new[] { "InitJoin", "InitJoinAck", "InitJoinNack", "Join", "Welcome", "ExitingConfirmed" }
            .Select(action => $"Akka.Cluster.InternalClusterAction+{action}, Akka.Cluster"),
        "Akka.Cluster.GossipEnvelope, Akka.Cluster", "Akka.Cluster.GossipStatus, Akka.Cluster", "HB", "HBR",
    ];

    private readonly byte[] _peer = Encoding.UTF8.GetBytes(peer);

    /// <summary>Whose connection it is.</summary>
    internal string Peer => peer;

    /// <summary>Whether Akka is told of the frame.</summary>
    internal bool LetsPass(byte[] frame)
    {
        try
        {
            var what = Refused(frame);
            if (what is not null) complain($"{peer} says what no node has to say, which is dropped: {what}");
            return what is null;
        }
        catch (FormatException)
        {
            complain($"{peer} sends what is no message, which is dropped");
            return false;
        }
    }

    private string? Refused(byte[] frame)
    {
        var reader = new WireReader(frame);
        while (reader.Next() is var field and not 0)
        {
            var refused = field switch
            {
                1 => RefusedEnvelope(reader.Bytes()),
                2 => RefusedInstruction(reader.Bytes()),
                _ => "an unknown frame",
            };
            if (refused is not null) return refused;
        }

        return null;
    }

    private string? RefusedInstruction(ReadOnlyMemory<byte> instruction)
    {
        var reader = new WireReader(instruction);
        while (reader.Next() is var field and not 0)
        {
            if (field != 2)
            {
                reader.Skip(); // the command
                continue;
            }

            // What it is told goes there: to where it is configured, and nowhere else. Each is looked at, whatever the
            // command: Akka's parser joins what stands in a frame twice.
            var (host, port) = Origin(Field(reader.Bytes(), 1));
            if (member is not null && !member.IsAt(host, port))
                return $"it is at {Short(Encoding.UTF8.GetBytes(host))}:{port}, "
                    + $"but recoverkv.members of this node has {member}";
        }

        return null;
    }

    private static (string Host, long Port) Origin(ReadOnlyMemory<byte> address)
    {
        var host = "";
        long port = 0;
        var reader = new WireReader(address);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 2: host = reader.String(); break;
                case 3: port = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return (host, port);
    }

    private string? RefusedEnvelope(ReadOnlyMemory<byte> container)
    {
        var reader = new WireReader(container);
        while (reader.Next() is var field and not 0)
        {
            if (field != 2)
            {
                reader.Skip(); // an acknowledgement of Akka's
                continue;
            }

            if (RefusedMessage(reader.Bytes()) is { } refused) return refused;
        }

        return null;
    }

    private string? RefusedMessage(ReadOnlyMemory<byte> envelope)
    {
        ReadOnlyMemory<byte> recipient = default, message = default;
        var reader = new WireReader(envelope);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: recipient = Field(reader.Bytes(), 1); break;
                case 2: message = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        var path = PathOf(recipient.Span);
        var (bytes, serializer, manifest) = Payload(message);
        if (serializer == PeerMessages && path.SequenceEqual("/user/node"u8)) return RefusedSpeaker(bytes);
        var isForCluster = path.StartsWith("/system/cluster/"u8);
        if (serializer == Selection && path.SequenceEqual("/"u8))
            (isForCluster, (bytes, serializer, manifest)) = (true, Payload(Field(bytes, 1)));
        return isForCluster && serializer == ClusterMessages && Words.Contains(Encoding.ASCII.GetString(manifest.Span))
            ? null
            : $"a message to {Short(path)} (of serializer {serializer}, '{Short(manifest.Span)}')";
    }

    /// <summary>Each message has a header, which says who speaks. Of several a reader may take the first or the
    /// last.</summary>
    private string? RefusedSpeaker(ReadOnlyMemory<byte> message)
    {
        var any = false;
        var reader = new WireReader(message);
        while (reader.Next() is var field and not 0)
        {
            if (field != 1)
            {
                reader.Skip();
                continue;
            }

            any = true;
            var speaker = Field(reader.Bytes(), 1);
            if (!speaker.Span.SequenceEqual(_peer)) return $"a message in the name of '{Short(speaker.Span)}'";
        }

        return any ? null : "a message in nobody's name";
    }

    private static string Short(ReadOnlySpan<byte> text) =>
        Encoding.ASCII.GetString(text[..Math.Min(text.Length, 64)]).ReplaceLineEndings(" ");

    /// <summary>Akka's form of any message.</summary>
    private static (ReadOnlyMemory<byte> Bytes, long Serializer, ReadOnlyMemory<byte> Manifest) Payload(
        ReadOnlyMemory<byte> payload)
    {
        ReadOnlyMemory<byte> bytes = default, manifest = default;
        long serializer = 0;
        var reader = new WireReader(payload);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: bytes = reader.Bytes(); break;
                case 2: serializer = reader.Int(); break;
                case 3: manifest = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return (bytes, serializer, manifest);
    }

    /// <summary>The last such field, as parsers take it; empty if there is none.</summary>
    private static ReadOnlyMemory<byte> Field(ReadOnlyMemory<byte> message, int wanted)
    {
        ReadOnlyMemory<byte> found = default;
        var reader = new WireReader(message);
        while (reader.Next() is var field and not 0)
        {
            if (field == wanted) found = reader.Bytes();
            else reader.Skip();
        }

        return found;
    }

    /// <summary>From the root on: without protocol, system, host and port.</summary>
    private static ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> reference)
    {
        var authority = reference.IndexOf("://"u8);
        if (authority < 0) return reference;
        var rest = reference[(authority + 3)..];
        var root = rest.IndexOf((byte)'/');
        if (root < 0) return default;
        var path = rest[root..];
        var uid = path.IndexOf((byte)'#');
        return uid < 0 ? path : path[..uid];
    }
}
