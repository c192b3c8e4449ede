using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Serialization;

/// <summary>Messages between replicas; see <see cref="PeerCodec"/>.</summary>
public sealed class PeerSerializer : SerializerWithStringManifest
{
    /// <summary>Called by Akka.</summary>
    public PeerSerializer(ExtendedActorSystem system) : base(system) { }

    /// <summary>Its number on the wire.</summary>
    internal const int Id = 4103;

    /// <inheritdoc/>
    public override int Identifier => Id;

    /// <inheritdoc/>
    public override string Manifest(object o) => PeerCodec.Manifest(AsEnvelope(o).Message);

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => PeerCodec.Encode(AsEnvelope(obj));

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return PeerCodec.Decode(manifest, bytes);
        }
        catch (FormatException e)
        {
            throw new SerializationException(e.Message, e);
        }
    }

    private static PeerEnvelope AsEnvelope(object o) => o as PeerEnvelope
        ?? throw new SerializationException($"A {o.GetType().Name} is no message between replicas.");
}
