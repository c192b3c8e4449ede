using System.Buffers.Binary;
using Google.Protobuf;

namespace RecoverKV.Client.Network;

/// <summary>
/// The little that connections know of Akka's protocol above them: who says hello in the first frame, what a sign of life
/// looks like, and how a <see cref="SideLane"/> begins. Anything else passes through unread.
/// </summary>
internal static class Pdu
{
    /// <summary>A first frame is no longer than that.</summary>
    internal const int LongestHello = 4 * 1024;

    private const int Instruction = 2, Command = 1, HandshakeInfo = 2, Origin = 1, System = 1;
    private const ulong Associate = 1;
    private const int Lane = 15;

    /// <summary>Akka's heartbeat of a connection.</summary>
    internal static readonly ByteString Heartbeat = ByteString.CopyFrom(0x12, 0x02, 0x08, 0x03);

    // To who knows no lanes it is an order to disassociate, followed by a field of no meaning.
    private static readonly byte[] LaneBegins = [0x12, 0x02, 0x08, 0x02, (Lane << 3) | 2, 10, .. "rkv-lane"u8];

    /// <summary>The first frame of a lane.</summary>
    /// <param name="port">The port from which the connection was made that the lane belongs to.</param>
    internal static byte[] BeginLane(int port)
    {
        var bytes = new byte[LaneBegins.Length + 2];
        LaneBegins.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(LaneBegins.Length), (ushort)port);
        return bytes;
    }

    /// <summary>The port that a lane names; null if the frame begins none.</summary>
    internal static int? LaneOf(ReadOnlySpan<byte> frame) =>
        frame.Length == LaneBegins.Length + 2 && frame.StartsWith(LaneBegins)
            ? BinaryPrimitives.ReadUInt16LittleEndian(frame[LaneBegins.Length..])
            : null;

    /// <summary>The name of the actor system that says hello by this frame; null if it says something else.</summary>
    internal static string? SystemOf(byte[] frame)
    {
        try
        {
            return Field(frame, Instruction) is { } instruction && IsAssociate(instruction)
                && Field(instruction, HandshakeInfo) is { } handshake && Field(handshake, Origin) is { } origin
                && Field(origin, System) is { } system ? global::System.Text.Encoding.UTF8.GetString(system) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static bool IsAssociate(byte[] instruction)
    {
        using var input = new CodedInputStream(instruction);
        while (input.ReadTag() is > 0 and var tag)
        {
            if (tag == WireFormat.MakeTag(Command, WireFormat.WireType.Varint)) return input.ReadUInt64() == Associate;
            input.SkipLastField();
        }

        return false;
    }

    private static byte[]? Field(byte[] message, int field)
    {
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            if (tag == WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited)) return input.ReadBytes().ToByteArray();
            input.SkipLastField();
        }

        return null;
    }
}
