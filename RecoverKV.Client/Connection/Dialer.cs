using System.Net.Sockets;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Client.Connection;

/// <summary>Makes connections to nodes as a client. Stateless.</summary>
internal static class Dialer
{
    // What waits in the system's buffers delays what is written later.
    private const int Buffer = 256 * 1024;

    /// <summary>A connection that the node has welcomed.</summary>
    /// <exception cref="IOException">The node refused, with its words; or it could not be reached, as
    /// <see cref="SocketException"/> and <see cref="OperationCanceledException"/> tell too.</exception>
    internal static async Task<FrameLink> ConnectAsync(ContactPoint node, Strand strand, TlsOptions? tls)
    {
        using var limit = new CancellationTokenSource(Timing.Connect);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            (socket.SendBufferSize, socket.ReceiveBufferSize, socket.NoDelay) = (Buffer, Buffer, true);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(Hosts.Bare(node.Host), node.Port, limit.Token).ConfigureAwait(false);
            var stream = await SecureAsync(new NetworkStream(socket), node, tls, limit.Token).ConfigureAwait(false);
            var incoming = new FrameReader(Knock.Longest);
            await Greeting.SendAsync(stream, new Knock(Role.Client).Encode(), limit.Token).ConfigureAwait(false);
            var answer = await Greeting.ReceiveAsync(stream, incoming, limit.Token).ConfigureAwait(false)
                ?? throw new IOException("it closes the connection");
            var welcome = Welcome.Decode(answer)
                ?? throw new IOException("it is no node of RecoverKV that this client knows");
            if (welcome.Version != Knock.Version) throw new IOException($"it refuses: {welcome.Refusal}");
            // The largest that any node may have: answers go up to the node's own frame.
            incoming.Longest = ClientLimits.FrameBytesMost;
            return new FrameLink(socket, stream, strand, incoming);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> SecureAsync(
        Stream stream, ContactPoint node, TlsOptions? tls, CancellationToken limit)
    {
        if (tls is null) return stream;
        try
        {
            var host = Hosts.Bare(node.Host);
            var secured = await Credentials.Load(tls.Authority, tls.Certificate, tls.Key)
                .ConnectAsync(stream, host, limit)
                .ConfigureAwait(false);
            using var shown = secured.Certificate;
            var objection = secured.Objection ?? Credentials.WhyNotHost(shown!, host);
            if (objection is null) return secured.Stream;
            await secured.Stream.DisposeAsync().ConfigureAwait(false);
            throw new IOException($"{node} is not believed: {objection}");
        }
        catch (BadCredentialsException e)
        {
            throw new IOException($"{e.Path}: {e.Message}", e);
        }
    }
}
