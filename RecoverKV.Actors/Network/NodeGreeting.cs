using System.Globalization;
using System.Security.Cryptography;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>
/// How two nodes meet: each proves to the other that it knows the cluster's secret, without telling it; and by its
/// certificate that it is the node that it says, where there is TLS, which needs no secret. Who a node says it is holds
/// for the connection, and so does whom it means. Whether it belongs to this store is the protocol's to say (R12):
/// there it is named on both sides.
/// </summary>
internal static class NodeGreeting
{
    private const int NonceBytes = 16;
    private const string WrongSecret = "it does not know the cluster's secret (recoverkv.secret)";

    /// <summary>The side that has made the connection.</summary>
    /// <param name="stream">What is said over it.</param>
    /// <param name="incoming">What has come.</param>
    /// <param name="door">Of this node.</param>
    /// <param name="to">Who is meant.</param>
    /// <param name="role">What the connection is for.</param>
    /// <param name="port">Of a lane: whose.</param>
    /// <param name="objection">Why the other side is not taken, by its certificate; null if it is.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">Refused, here or there.</exception>
    internal static async Task ConnectAsync(
        Stream stream, FrameReader incoming, Door door, Member to, Role role, int port, string? objection,
        CancellationToken cancellation)
    {
        var knock = new Knock(
            role, From: door.Self, To: to.Node.Name, Nonce: RandomNumberGenerator.GetBytes(NonceBytes), Port: port);
        await Greeting.SendAsync(stream, knock.Encode(), cancellation).ConfigureAwait(false);
        var welcome = await ReceiveAsync(stream, incoming, to, cancellation).ConfigureAwait(false);
        if (!CryptographicOperations.FixedTimeEquals(
            welcome.Proof.Span, door.Proof(accepts: true, knock, welcome.Nonce)))
            objection ??= WrongSecret;
        if (objection is not null)
        {
            // So that it is named there, too; but nothing that is made of the secret goes to who has not proven to know
            // it.
            await Greeting.SendAsync(stream, new Welcome(0, objection).Encode(), cancellation).ConfigureAwait(false);
            throw new IOException($"{to} is refused: {objection}");
        }

        var proof = new Welcome(Knock.Version, Proof: door.Proof(accepts: false, knock, welcome.Nonce));
        await Greeting.SendAsync(stream, proof.Encode(), cancellation).ConfigureAwait(false);
        await ReceiveAsync(stream, incoming, to, cancellation).ConfigureAwait(false);
    }

    /// <summary>The side that was connected to.</summary>
    /// <returns>Why the other side is refused; null if it is not. An empty text: it has gone.</returns>
    internal static async Task<string?> AcceptAsync(
        Stream stream, FrameReader incoming, Door door, Knock knock, CancellationToken cancellation)
    {
        if (door.Secret.Length == 0 && door.Tls is null) return "this node has no recoverkv.secret, and so no peers";
        if (knock.Nonce.Length != NonceBytes || !Member.IsNodeId(knock.From)) return "it does not greet as nodes do";
        // Who stands in another's place would pass the proof on, as that other's.
        if (knock.To != door.Self)
            return $"it takes this node, {door.Self}, for another: an address in recoverkv.members "
                + "of one of them is another node's";
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var welcome = new Welcome(Knock.Version, Nonce: nonce, Proof: door.Proof(accepts: true, knock, nonce));
        await Greeting.SendAsync(stream, welcome.Encode(), cancellation).ConfigureAwait(false);
        if (await Greeting.ReceiveAsync(stream, incoming, cancellation).ConfigureAwait(false) is not { } frame)
            return "";
        var answer = Welcome.Decode(frame);
        if (answer is { Version: 0, Refusal.Length: > 0 }) return $"it does not take this node: {answer.Refusal}";
        if (answer is null
            || !CryptographicOperations.FixedTimeEquals(answer.Proof.Span, door.Proof(accepts: false, knock, nonce)))
        {
            return WrongSecret;
        }

        await Greeting.SendAsync(stream, new Welcome(Knock.Version).Encode(), cancellation).ConfigureAwait(false);
        return null;
    }

    private static async Task<Welcome> ReceiveAsync(
        Stream stream, FrameReader incoming, Member from, CancellationToken cancellation)
    {
        var frame = await Greeting.ReceiveAsync(stream, incoming, cancellation).ConfigureAwait(false)
            ?? throw new IOException($"{from} closes the connection");
        var welcome = Welcome.Decode(frame) ?? throw new IOException($"{from} does not answer as a node does");
        return welcome.Version == Knock.Version ? welcome : throw new IOException(string.Create(
            CultureInfo.InvariantCulture, $"{from} refuses this node: {welcome.Refusal}"));
    }
}
