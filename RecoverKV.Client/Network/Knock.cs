using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Network;

/// <summary>Who makes a connection.</summary>
internal enum Role
{
    /// <summary>A client: its frames are client messages, and nothing else.</summary>
    Client = 1,

    /// <summary>A node of the cluster: its frames are those of Akka.Remote.</summary>
    Node = 2,

    /// <summary>The same, for a <see cref="SideLane"/> of a connection that is there.</summary>
    Lane = 3,
}

/// <summary>
/// The first frame of every connection, from the side that made it (message <c>Knock</c> of recoverkv.proto). It
/// decides what the connection is for, before anything else is read of it.
/// </summary>
/// <param name="Role">What it is for.</param>
/// <param name="Oldest">The oldest version of what follows that its side speaks.</param>
/// <param name="Newest">The newest.</param>
/// <param name="From">Of a node: its id.</param>
/// <param name="To">Of a node: the id of the node that it means.</param>
/// <param name="Nonce">Of a node: random bytes that the answer must prove with.</param>
/// <param name="Port">Of a lane: from which port the connection was made that it belongs to.</param>
internal sealed record Knock(
    Role Role, int Oldest = Knock.Version, int Newest = Knock.Version, string From = "", string To = "",
    ReadOnlyMemory<byte> Nonce = default, int Port = 0)
{
    /// <summary>The version that this program speaks.</summary>
    internal const int Version = 3;

    /// <summary>No frame of a greeting is longer.</summary>
    internal const int Longest = 1024;

    private const string Protocol = "recoverkv";

    internal byte[] Encode()
    {
        var writer = new WireWriter();
        writer.String(1, Protocol);
        writer.Int(2, (int)Role);
        writer.Int(3, Oldest);
        writer.Int(4, Newest);
        writer.String(5, From);
        writer.String(6, To);
        writer.Bytes(7, Nonce.Span);
        writer.Int(8, Port);
        return writer.ToArray();
    }

    /// <summary>Null if the frame is none.</summary>
    internal static Knock? Decode(byte[] frame)
    {
        string protocol = "", from = "", to = "";
        long role = 0, oldest = 0, newest = 0, port = 0;
        ReadOnlyMemory<byte> nonce = default;
        try
        {
            var reader = new WireReader(frame);
            while (reader.Next() is var field and not 0)
            {
                switch (field)
                {
                    case 1: protocol = reader.String(); break;
                    case 2: role = reader.Int(); break;
                    case 3: oldest = reader.Int(); break;
                    case 4: newest = reader.Int(); break;
                    case 5: from = reader.String(); break;
                    case 6: to = reader.String(); break;
                    case 7: nonce = reader.Bytes(); break;
                    case 8: port = reader.Int(); break;
                    default: reader.Skip(); break;
                }
            }
        }
        catch (FormatException)
        {
            return null;
        }

        return protocol == Protocol && role is >= (int)Role.Client and <= (int)Role.Lane && port is >= 0 and < 65536
            && oldest is >= 0 and <= int.MaxValue && newest is >= 0 and <= int.MaxValue
            ? new Knock((Role)role, (int)oldest, (int)newest, from, to, nonce, (int)port)
            : null;
    }
}

/// <summary>The answer to a <see cref="Knock"/> (message <c>Welcome</c> of recoverkv.proto).</summary>
/// <param name="Version">What is spoken from now on; 0: the connection is refused.</param>
/// <param name="Refusal">Why.</param>
/// <param name="Nonce">To a node: random bytes that it must prove with.</param>
/// <param name="Proof">To a node: that this side knows the cluster's secret. Of a node: the same.</param>
internal sealed record Welcome(
    int Version, string Refusal = "", ReadOnlyMemory<byte> Nonce = default, ReadOnlyMemory<byte> Proof = default)
{
    internal byte[] Encode()
    {
        var writer = new WireWriter();
        writer.Int(1, Version);
        // A frame of a greeting is short.
        writer.String(2, ForeignText.Clean(Refusal, 300));
        writer.Bytes(3, Nonce.Span);
        writer.Bytes(4, Proof.Span);
        return writer.ToArray();
    }

    /// <summary>Null if the frame is none.</summary>
    internal static Welcome? Decode(byte[] frame)
    {
        var refusal = "";
        long version = 0;
        ReadOnlyMemory<byte> nonce = default, proof = default;
        try
        {
            var reader = new WireReader(frame);
            while (reader.Next() is var field and not 0)
            {
                switch (field)
                {
                    case 1: version = reader.Int(); break;
                    case 2: refusal = reader.String(); break;
                    case 3: nonce = reader.Bytes(); break;
                    case 4: proof = reader.Bytes(); break;
                    default: reader.Skip(); break;
                }
            }
        }
        catch (FormatException)
        {
            return null;
        }

        return version is >= 0 and <= int.MaxValue
            ? new Welcome((int)version, ForeignText.Clean(refusal, 300), nonce, proof)
            : null;
    }
}

/// <summary>Single frames before a connection is a <see cref="FrameLink"/>.</summary>
internal static class Greeting
{
    internal static async Task SendAsync(Stream stream, byte[] frame, CancellationToken cancellation)
    {
        var writer = new FrameWriter(Knock.Longest + Frame.Header);
        writer.TryAdd(frame);
        writer.TryTake(out var bytes);
        await stream.WriteAsync(bytes, cancellation).ConfigureAwait(false);
    }

    /// <summary>The next frame; null if the connection ends before.</summary>
    /// <exception cref="InvalidDataException">It sends no frames.</exception>
    internal static async Task<byte[]?> ReceiveAsync(
        Stream stream, FrameReader incoming, CancellationToken cancellation)
    {
        byte[] frame;
        while (!incoming.TryRead(out frame))
        {
            if (await stream.ReadAsync(incoming.Room(), cancellation).ConfigureAwait(false) is not (> 0 and var bytes))
                return null;
            incoming.Received(bytes);
        }

        return frame;
    }
}
