using System.Runtime.Serialization;
using Hyperion;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// Control messages between replicas of one version, by Hyperion. The types are a closed list: a message of any
/// other type is neither written nor read, whatever the bytes ask for.
/// </summary>
public static class ControlCodec
{
    /// <summary>The messages. Their order is part of the format.</summary>
    private static readonly Type[] Messages =
    [
        typeof(Canvass), typeof(CanvassReply), typeof(RequestPromise), typeof(Promise), typeof(Refuse),
        typeof(Handover), typeof(Synchronize), typeof(Synchronized), typeof(InstallView), typeof(AcceptedView),
        typeof(ViewWanted), typeof(Leaving), typeof(TailLost),
    ];

    /// <summary>What they are made of.</summary>
    private static readonly Type[] Parts =
    [
        typeof(Epoch), typeof(Uid), typeof(NodeId), typeof(MemberId),
    ];

    private static readonly Type[] All = [.. Messages, .. Parts];

    private static readonly Serializer Hyperion = new(SerializerOptions.Default
        .WithKnownTypes(All)
        .WithSurrogates([Surrogate.Create<View, ViewForm>(ViewForm.Of, form => form.ToView())])
        .WithTypeFilter(new ClosedList([.. All, typeof(ViewForm)])));

    private static readonly ControlNulls Nulls = new(All);

    /// <summary>The bytes of a message.</summary>
    public static byte[] Encode(PeerMessage message)
    {
        if (!Messages.Contains(message.GetType()))
            throw new SerializationException($"A {message.GetType().Name} is no control message.");
        using var stream = new MemoryStream();
        Hyperion.Serialize(message, stream);
        return stream.ToArray();
    }

    /// <summary>Reads a message.</summary>
    /// <exception cref="FormatException">The bytes are no control message.</exception>
    public static PeerMessage Decode(ReadOnlyMemory<byte> bytes)
    {
        object? read;
        using var stream = new ControlStream(bytes);
        try
        {
            read = Hyperion.Deserialize(stream);
        }
        // Hyperion has no exception of its own for bytes that it cannot read: anything may come out of it.
        catch (Exception e)
        {
            throw new FormatException($"A control message cannot be read: {e.Message}", e);
        }

        if (stream.Position < stream.Length) throw new FormatException("A control message is longer than it says.");
        if (read is not PeerMessage message || !Messages.Contains(message.GetType()))
            throw new FormatException($"A {read?.GetType().Name ?? "null"} is no control message.");
        return Nulls.IsIn(message) ? throw new FormatException($"A {message.GetType().Name} lacks a part.") : message;
    }

    /// <summary>Has Hyperion generate its code for all of them, which it otherwise does at the first of each: a fifth
    /// of a second that an election or a rejoining replica would wait for. Thread-safe, beside encoding and decoding
    /// too.
    /// </summary>
    internal static void Prepare()
    {
        foreach (var type in All) Hyperion.GetSerializerByType(type);
    }

    /// <summary>A view travels in the form that the journal has of it, which may gain fields.</summary>
    internal sealed class ViewForm
    {
        public byte[] Encoded { get; set; } = [];

        public static ViewForm Of(View view)
        {
            var writer = new WireWriter(512);
            WireTypes.Write(writer, view);
            return new ViewForm { Encoded = writer.ToArray() };
        }

        // Three bytes can stand for a form without anything in it, and a view is many times as large.
        public View ToView() => Encoded is { Length: > 0 } bytes
            ? WireTypes.ReadView(bytes)
            : throw new FormatException("A view is empty.");
    }

    /// <summary>Hyperion asks with the full name of a type that it writes and the short one of a type that it
    /// reads.</summary>
    private sealed class ClosedList(Type[] types) : ITypeFilter
    {
        private readonly HashSet<string> _names =
            [.. types.SelectMany(
                t => new[] { t.AssemblyQualifiedName!, $"{t.FullName}, {t.Assembly.GetName().Name}" })];

        public bool IsAllowed(string typeName) => _names.Contains(typeName);
    }
}
