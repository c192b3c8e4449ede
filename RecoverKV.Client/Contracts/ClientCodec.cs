using System.Text;

namespace RecoverKV.Client.Contracts;

/// <summary>
/// The form of every <see cref="IClientMessage"/> on a client's connection: a frame is a byte with the length of the
/// manifest, the manifest, and the message in the schema of recoverkv.proto. What comes in is not trusted: malformed
/// bytes throw <see cref="FormatException"/>, a manifest that is not known gives an <see cref="UnknownMessage"/>.
/// Stateless.
/// </summary>
internal static class ClientCodec
{
    /// <summary>The longest manifest that is read.</summary>
    private const int LongestManifest = 16;

    internal static string ManifestOf(object o) => o switch
    {
        ReadBatch => "RB",
        ReadReplies => "RR",
        WriteBatch => "WB",
        WriteReplies => "WR",
        ScanRequest => "CQ",
        ScanReply => "CR",
        ClusterViewRequest => "VQ",
        ClusterView => "VR",
        NodeStatusRequest => "SQ",
        NodeStatus => "SR",
        StopNode => "AS",
        PartitionNode => "AP",
        CheckpointNode => "AC",
        BackupRequest => "BQ",
        BackupPart => "BR",
        AdminReply => "AR",
        UnknownMessage => "U",
        Unsupported => "N",
        _ => throw NoMessage(o),
    };

    /// <summary>The message without its manifest.</summary>
    internal static WireWriter Encode(object message) => message switch
    {
        ReadBatch m => ReadsCodec.Encode(m),
        ReadReplies m => ReadsCodec.Encode(m),
        WriteBatch m => WritesCodec.Encode(m),
        WriteReplies m => WritesCodec.Encode(m),
        ScanRequest m => ScanCodec.Encode(m),
        ScanReply m => ScanCodec.Encode(m),
        ClusterViewRequest m => ClusterCodec.Encode(m),
        ClusterView m => ClusterCodec.Encode(m),
        NodeStatusRequest m => ClusterCodec.Encode(m),
        NodeStatus m => ClusterCodec.Encode(m),
        StopNode m => AdminCodec.Encode(m),
        PartitionNode m => AdminCodec.Encode(m),
        CheckpointNode m => AdminCodec.Encode(m),
        BackupRequest m => AdminCodec.Encode(m),
        BackupPart m => AdminCodec.Encode(m),
        AdminReply m => AdminCodec.Encode(m),
        UnknownMessage m => AdminCodec.EncodeManifest(m.Manifest),
        Unsupported m => AdminCodec.EncodeManifest(m.Manifest),
        _ => throw NoMessage(message),
    };

    /// <summary>Reads a message without its manifest. Keys and values are slices of <paramref name="bytes"/>.</summary>
    /// <exception cref="FormatException">The bytes are no such message.</exception>
    internal static IClientMessage Decode(string manifest, ReadOnlyMemory<byte> bytes) => manifest switch
    {
        "RB" => ReadsCodec.DecodeBatch(bytes),
        "RR" => ReadsCodec.DecodeReplies(bytes),
        "WB" => WritesCodec.DecodeBatch(bytes),
        "WR" => WritesCodec.DecodeReplies(bytes),
        "CQ" => ScanCodec.DecodeRequest(bytes),
        "CR" => ScanCodec.DecodeReply(bytes),
        "VQ" => ClusterCodec.DecodeViewRequest(bytes),
        "VR" => ClusterCodec.DecodeView(bytes),
        "SQ" => ClusterCodec.DecodeStatusRequest(bytes),
        "SR" => ClusterCodec.DecodeStatus(bytes),
        "AS" => AdminCodec.DecodeStop(bytes),
        "AP" => AdminCodec.DecodePartition(bytes),
        "AC" => AdminCodec.DecodeCheckpoint(bytes),
        "BQ" => AdminCodec.DecodeBackupRequest(bytes),
        "BR" => AdminCodec.DecodeBackupPart(bytes),
        "AR" => AdminCodec.DecodeReply(bytes),
        "U" => new UnknownMessage(AdminCodec.DecodeManifest(bytes)),
        "N" => new Unsupported(AdminCodec.DecodeManifest(bytes)),
        _ => new UnknownMessage(manifest),
    };

    /// <summary>What stands before the message in its frame.</summary>
    internal static byte[] Head(object message)
    {
        var manifest = ManifestOf(message);
        return [(byte)manifest.Length, .. Encoding.ASCII.GetBytes(manifest)];
    }

    /// <summary>Reads a frame.</summary>
    /// <exception cref="FormatException">It is none, or the message in it is malformed.</exception>
    internal static IClientMessage Decode(byte[] frame)
    {
        if (frame.Length == 0 || frame[0] is 0 or > LongestManifest || frame.Length < 1 + frame[0])
            throw new FormatException("The frame is malformed: no manifest.");
        var length = frame[0];
        return Decode(Encoding.ASCII.GetString(frame, 1, length), frame.AsMemory(1 + length));
    }

    private static ArgumentException NoMessage(object o) => new($"{o.GetType().Name} is no client message.");
}
