using System.Net;
using System.Net.Sockets;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Specs.Network;

/// <summary>The other side of a connection, on bare sockets: what greets, or does not, as a node does.</summary>
internal sealed class BarePeer(TcpClient socket) : IDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public TcpClient Socket { get; } = socket;

    public NetworkStream Stream { get; } = socket.GetStream();

    /// <summary>What came and was not read.</summary>
    public FrameReader Incoming { get; } = new(1 << 20);

    /// <summary>The port that the connection has on this side.</summary>
    public int Port => ((IPEndPoint)Socket.Client.LocalEndPoint!).Port;

    /// <summary>A connection that has said nothing.</summary>
    public static async Task<BarePeer> ConnectAsync(Member to, int buffer = 0)
    {
        var socket = new TcpClient();
        if (buffer > 0) socket.ReceiveBufferSize = buffer;
        await socket.ConnectAsync(Hosts.Bare(to.Host), to.Port);
        return new BarePeer(socket);
    }

    /// <summary>A connection of a node that has this door.</summary>
    public static async Task<BarePeer> GreetAsync(
        Door door, Member to, Role role = Role.Node, int port = 0, int buffer = 0)
    {
        var peer = await ConnectAsync(to, buffer);
        using var limit = new CancellationTokenSource(Limit);
        await NodeGreeting.ConnectAsync(peer.Stream, peer.Incoming, door, to, role, port, objection: null, limit.Token);
        return peer;
    }

    /// <summary>What connects next, and its knock.</summary>
    public static async Task<(BarePeer Peer, Knock Knock)> AcceptAsync(TcpListener listener)
    {
        var peer = new BarePeer(await listener.AcceptTcpClientAsync().WaitAsync(Limit));
        return (peer, Knock.Decode((await peer.NextAsync())!)!);
    }

    /// <summary>The same, welcomed as by a node that has this door.</summary>
    public static async Task<(BarePeer Peer, Knock Knock)> WelcomeAsync(TcpListener listener, Door door)
    {
        var (peer, knock) = await AcceptAsync(listener);
        using var limit = new CancellationTokenSource(Limit);
        Assert.Null(await NodeGreeting.AcceptAsync(peer.Stream, peer.Incoming, door, knock, limit.Token));
        return (peer, knock);
    }

    public async Task SendAsync(params byte[] frame)
    {
        var writer = new FrameWriter(frame.Length + Frame.Header);
        Assert.True(writer.TryAdd(frame));
        Assert.True(writer.TryTake(out var bytes));
        await Stream.WriteAsync(bytes);
    }

    /// <summary>The next frame; null when the connection has ended.</summary>
    public async Task<byte[]?> NextAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            return await Greeting.ReceiveAsync(Stream, Incoming, limit.Token);
        }
        catch (IOException e)
            when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            // It was closed without a goodbye.
            return null;
        }
    }

    /// <summary>The next frame, as an answer to a greeting; null when the connection has ended.</summary>
    public async Task<Welcome?> WelcomeAsync() => await NextAsync() is { } frame ? Welcome.Decode(frame) : null;

    public void Dispose() => Socket.Dispose();
}
