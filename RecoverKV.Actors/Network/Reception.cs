using System.Net.Sockets;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Gateway;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>Who has greeted, and over what.</summary>
/// <param name="Knock">What it has said, and proven.</param>
/// <param name="Stream">What is said over the connection from now on.</param>
internal sealed record Guest(Knock Knock, Stream Stream);

/// <summary>Hears what a connection is for that was accepted, and whether whoever made it may say so.
/// Thread-safe.</summary>
/// <param name="door">Of the node.</param>
/// <param name="descriptors">Of the process.</param>
/// <param name="clients">Of the node.</param>
/// <param name="ofStrangers">Told of those that are refused,</param>
/// <param name="ofPeers">and of members that are.</param>
internal sealed class Reception(
    Door door, Descriptors descriptors, ClientDoor clients, Complaints ofStrangers, Complaints ofPeers)
{
    /// <summary>What the other side says first, once it has proven it; null if it is refused.</summary>
    internal async Task<Guest?> GreetAsync(Socket socket, FrameReader incoming, CancellationToken limit)
    {
        // Whoever comes next is not to wait for the work of a handshake.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        Secured? secured = null;
        Guest? guest = null;
        try
        {
            if (await SpeaksTlsAsync(socket, limit).ConfigureAwait(false))
            {
                secured = await SecureAsync(socket, stream, limit).ConfigureAwait(false);
                if (secured is null) return null;
                stream = secured.Stream;
            }

            if (await ReceiveAsync(socket, stream, incoming, limit).ConfigureAwait(false) is not { } knock) return null;
            var refusal = await DecideAsync(socket, stream, incoming, knock, secured, limit).ConfigureAwait(false);
            if (refusal is null) return guest = new Guest(knock, stream);
            if (refusal.Length > 0) await RefuseAsync(socket, stream, knock, refusal, limit).ConfigureAwait(false);
            return null;
        }
        finally
        {
            secured?.Certificate?.Dispose();
            if (guest is null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                incoming.Dispose();
            }
        }
    }

    /// <summary>Says that connections are closed as there are too many.</summary>
    internal void ComplainOfCrowd() => ofStrangers.Add(
        $"Connections are closed at once: this process may have {descriptors.Limit} files open (ulimit -n), and the "
        + $"rest is kept for peers and files; besides, at most {descriptors.Silent} may be silent");

    /// <summary>Whether TLS begins: none of our first frames has a length that begins as its records do.</summary>
    private static async Task<bool> SpeaksTlsAsync(Socket socket, CancellationToken limit)
    {
        const byte handshake = 0x16;
        var first = new byte[1];
        var length = await socket.ReceiveAsync(first, SocketFlags.Peek, limit).ConfigureAwait(false);
        return length == 1 && first[0] == handshake;
    }

    private async Task<Secured?> SecureAsync(Socket socket, Stream stream, CancellationToken limit)
    {
        var why = "it speaks TLS, and this node does not (recoverkv.tls.mode)";
        try
        {
            if (door.Tls is { } tls) return await tls.Current.AcceptAsync(stream, limit).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            why = e.Message;
        }

        ofStrangers.Add($"A connection from {socket.RemoteEndPoint} is closed: {why}");
        return null;
    }

    private async Task<Knock?> ReceiveAsync(Socket socket, Stream stream, FrameReader incoming, CancellationToken limit)
    {
        if (await Greeting.ReceiveAsync(stream, incoming, limit).ConfigureAwait(false) is not { } frame) return null;
        var knock = Knock.Decode(frame);
        if (knock is null)
            ofStrangers.Add(
                $"A connection from {socket.RemoteEndPoint} is closed: it does not greet as RecoverKV's do");
        return knock;
    }

    /// <summary>Why it is refused; null if it is not. An empty text: it has gone.</summary>
    private async Task<string?> DecideAsync(
        Socket socket, Stream stream, FrameReader incoming, Knock knock, Secured? secured, CancellationToken limit)
    {
        if (knock.Oldest > Knock.Version || knock.Newest < Knock.Version)
            return $"versions {knock.Oldest} to {knock.Newest} are spoken there, and {Knock.Version} here";
        if (ObjectionTo(knock, secured) is { } objection) return objection;
        if (!descriptors.MayKeep(socket, isPeer: knock.Role != Role.Client)
            && (knock.Role != Role.Client || !clients.MakePlace()))
        {
            ComplainOfCrowd();
            return "this node has too many connections";
        }

        if (knock.Role != Role.Client)
            return await NodeGreeting.AcceptAsync(stream, incoming, door, knock, limit).ConfigureAwait(false);
        await Greeting.SendAsync(stream, new Welcome(Knock.Version).Encode(), limit).ConfigureAwait(false);
        return null;
    }

    private string? ObjectionTo(Knock knock, Secured? secured) =>
        door.Tls is not { } tls ? null
        : secured is null ? "this node speaks TLS only (recoverkv.tls; --cacert of the program)"
        : knock.Role == Role.Client ? tls.ClientObjection(secured)
        : !Member.IsNodeId(knock.From) ? "it does not greet as nodes do"
        : NodeCredentials.Objection(secured, knock.From);

    private async Task RefuseAsync(Socket socket, Stream stream, Knock knock, string why, CancellationToken limit)
    {
        var isPeer = knock.Role != Role.Client && door.Find(knock.From) is not null;
        var who = isPeer ? $"'{knock.From}'" : knock.Role == Role.Client ? "A client" : "One that is no member";
        var line = $"{who} at {socket.RemoteEndPoint} is refused: {why}";
        if (isPeer) door.Refused(line);
        (isPeer ? ofPeers : ofStrangers).Add(line);
        await Greeting.SendAsync(stream, new Welcome(0, why).Encode(), limit).ConfigureAwait(false);
    }
}
