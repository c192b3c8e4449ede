using System.Security.Cryptography;
using System.Text;
using Akka.Actor;
using Akka.Actor.Setup;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>What a node's connections go by: given to the actor system as it is made.</summary>
/// <param name="settings">Of the node.</param>
internal sealed class Door(NodeSettings settings) : Setup
{
    // Peers try again within seconds.
    private const long Recent = 15_000;
    private Refusing? _refusal;
    private readonly TaskCompletionSource<IActorRef> _gateway = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>That of an actor system; null if it was given none.</summary>
    public static Door? Of(ActorSystem system) =>
        system.Settings.Setup.Get<Door>() is { HasValue: true } door ? door.Value : null;

    /// <summary>This node's id.</summary>
    public string Self => settings.Self.Node.Name;

    /// <summary>Whom clients talk to, once it is there.</summary>
    public Task<IActorRef> Gateway => _gateway.Task;

    /// <summary>The cluster's secret (<c>recoverkv.secret</c>); empty where there is one node only, or where
    /// certificates say who is a node.</summary>
    public byte[] Secret { get; } = Encoding.UTF8.GetBytes(
        settings.Secret.Length == 0 && settings.Members.Count > 1 && !settings.Tls.On
            ? LocalSecret.ReadOrMake()
            : settings.Secret);

    /// <summary>What connections are encrypted with; null if they are not.</summary>
    public NodeCredentials? Tls { get; } = settings.Tls.On
        ? new NodeCredentials(settings.Tls, settings.Self.Node.Name)
        : null;

    /// <summary>The largest frame.</summary>
    public int FrameSize => settings.FrameSize;

    /// <summary>Why a peer was refused, or refused this node, of late; null if none did.</summary>
    public string? Refusal =>
        Volatile.Read(ref _refusal) is { } last && Environment.TickCount64 - last.At < Recent ? last.Text : null;

    /// <summary>A peer was refused, or refused this node.</summary>
    public void Refused(string why) =>
        Volatile.Write(ref _refusal, new Refusing(ForeignText.Clean(why, 500), Environment.TickCount64));

    /// <summary>The gateway is there.</summary>
    public void Open(IActorRef gateway) => _gateway.TrySetResult(gateway);

    /// <summary>The configured node of this id; null if there is none.</summary>
    public Member? Find(string node) => settings.Members.FirstOrDefault(m => m.Node.Name == node);

    /// <summary>The configured node at this address; null if there is none.</summary>
    public Member? Find(string host, int port) => settings.Members.FirstOrDefault(m => m.IsAt(host, port));

    private sealed record Refusing(string Text, long At);

    /// <summary>What only who knows the secret can say about this greeting. Both nonces are in it, so that it is good
    /// once, and which side says it, so that it cannot be sent back.</summary>
    public byte[] Proof(bool accepts, Knock knock, ReadOnlyMemory<byte> nonce)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Secret);
        hash.AppendData(accepts ? "recoverkv accepts"u8 : "recoverkv connects"u8);
        // All of it, with the length of each part.
        hash.AppendData(knock.Encode());
        hash.AppendData(nonce.Span);
        return hash.GetHashAndReset();
    }
}
