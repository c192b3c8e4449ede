using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace RecoverKV.Client.Contracts;

/// <summary>
/// Carries every <see cref="IClientMessage"/> over Akka.Remote, in the schema of recoverkv.proto under a short
/// manifest. What comes in is not trusted: malformed bytes throw <see cref="SerializationException"/>, on which Akka.Remote drops
/// the one message and keeps the connection; a manifest that is not known gives an <see cref="UnknownMessage"/>.
/// </summary>
public sealed class ClientSerializer : SerializerWithStringManifest
{
    /// <summary>The identifier of this serializer on the wire. Never changes.</summary>
    public const int Id = 4101;

    /// <summary>Made by Akka from its configuration.</summary>
    public ClientSerializer(ExtendedActorSystem system) : base(system) { }

    /// <inheritdoc/>
    public override int Identifier => Id;

    /// <inheritdoc/>
    public override string Manifest(object o) => ManifestOf(o);

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
        AdminReply => "AR",
        UnknownMessage => "U",
        Unsupported => "N",
        _ => throw NoMessage(o),
    };

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => (obj switch
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
        AdminReply m => AdminCodec.Encode(m),
        UnknownMessage m => AdminCodec.EncodeManifest(m.Manifest),
        Unsupported m => AdminCodec.EncodeManifest(m.Manifest),
        _ => throw NoMessage(obj),
    }).ToArray();

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return manifest switch
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
                "AR" => AdminCodec.DecodeReply(bytes),
                "U" => new UnknownMessage(AdminCodec.DecodeManifest(bytes)),
                "N" => new Unsupported(AdminCodec.DecodeManifest(bytes)),
                _ => new UnknownMessage(manifest),
            };
        }
        catch (FormatException e)
        {
            throw new SerializationException($"A client message '{manifest}' could not be read. {e.Message}", e);
        }
    }

    private static ArgumentException NoMessage(object o) => new($"{o.GetType().Name} is no client message.");
}
