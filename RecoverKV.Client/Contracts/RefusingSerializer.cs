using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace RecoverKV.Client.Contracts;

/// <summary>
/// Stands where Akka's JSON serializer would be (identifier 1) and refuses in both directions. Without it a message
/// that names the JSON serializer is read as whatever type it says, even if unregistered types are not allowed:
/// that setting guards what is sent, not what comes in.
/// </summary>
public sealed class RefusingSerializer : Serializer
{
    /// <summary>Made by Akka from its configuration, which has settings for the JSON serializer.</summary>
    public RefusingSerializer(ExtendedActorSystem system, Config settings) : base(system) => _ = settings;

    /// <inheritdoc/>
    public override int Identifier => 1;

    /// <inheritdoc/>
    public override bool IncludeManifest => true;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) =>
        throw new SerializationException($"{obj.GetType().FullName} has no serializer and is not sent.");

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException("A message of a type without a schema is not read.");
}
