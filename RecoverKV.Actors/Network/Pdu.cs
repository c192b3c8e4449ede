using Google.Protobuf;

namespace RecoverKV.Actors.Network;

/// <summary>The little that connections say of Akka's protocol above them themselves.</summary>
internal static class Pdu
{
    /// <summary>Akka's heartbeat of a connection.</summary>
    internal static readonly ByteString Heartbeat = ByteString.CopyFrom(0x12, 0x02, 0x08, 0x03);
}
