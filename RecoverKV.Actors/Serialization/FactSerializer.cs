using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Serialization;

/// <summary>Journal events for Akka.Persistence; see <see cref="FactCodec"/>.</summary>
public sealed class FactSerializer : SerializerWithStringManifest
{
    /// <summary>Stands in every row of a journal: it must never change.</summary>
    public const int Id = 4102;

    /// <summary>Called by Akka.</summary>
    public FactSerializer(ExtendedActorSystem system) : base(system) { }

    /// <inheritdoc/>
    public override int Identifier => Id;

    /// <inheritdoc/>
    public override string Manifest(object o) => FactCodec.Manifest(AsFact(o));

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => FactCodec.Encode(AsFact(obj));

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return FactCodec.Decode(manifest, bytes);
        }
        catch (FormatException e)
        {
            throw new SerializationException(e.Message, e);
        }
    }

    private static Fact AsFact(object o) => o as Fact
        ?? throw new SerializationException($"A {o.GetType().Name} is no journal event.");
}
