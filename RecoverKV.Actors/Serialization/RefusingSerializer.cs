using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// Stands in the place of serializers of Akka that build whatever type the sender names (JSON, Protobuf by type name,
/// remote deployment). <c>allow-unregistered-types = false</c> keeps them from being used for sending only: what
/// arrives names its serializer by number.
/// </summary>
public sealed class RefusingSerializer : SerializerWithStringManifest
{
    /// <summary>Called by Akka; <c>akka.actor.serialization-settings.NAME.id</c> is the number to stand in
    /// for.</summary>
    public RefusingSerializer(ExtendedActorSystem system, Config settings) : base(system) =>
        Identifier = settings.GetInt("id");

    /// <inheritdoc/>
    public override int Identifier { get; }

    /// <inheritdoc/>
    public override string Manifest(object o) => throw Refusal(o);

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => throw Refusal(obj);

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) =>
        throw new SerializationException($"Messages of the type {manifest} are not taken.");

    private static SerializationException Refusal(object o) =>
        new($"Messages of the type {o.GetType().FullName} are not sent.");
}
