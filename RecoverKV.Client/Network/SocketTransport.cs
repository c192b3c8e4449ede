using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;

namespace RecoverKV.Client.Network;

/// <summary>
/// Akka.Remote's connections, straight on the sockets of .NET and on the <see cref="Strand"/> of the actor system. On the
/// wire and in its addresses it is Akka's own TCP transport, and either may be at the other end; that one moves each message
/// through an event loop's thread on the way in and out, which doubles the time of a call. Of that one's settings it knows
/// those of addresses, sizes, backlog and connection timeout. It has no TLS.
/// </summary>
internal sealed class SocketTransport : Transport
{
    private const string Ending = "the actor system ends";
    private static readonly TimeSpan AcceptAgain = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<SocketLink, SocketLink> _links = [];
    private readonly TaskCompletionSource<IAssociationEventListener> _listener =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILoggingAdapter _log;
    private readonly Strand _strand;
    private readonly int _longest;
    private Action _stopListening = static () => { };
    private volatile bool _ends;
    private Address? _local;

    /// <summary>Called by Akka, with the settings of <c>akka.remote.dot-netty.tcp</c>.</summary>
    public SocketTransport(ActorSystem system, Config config)
    {
        if (config.GetBoolean("enable-ssl"))
        {
            throw new ConfigurationException(
                "enable-ssl: RecoverKV's connections have no TLS; put a tunnel or a private network below them");
        }

        (System, Config) = (system, config);
        SchemeIdentifier = "tcp";
        _log = Logging.GetLogger(system, this);
        _strand = Strand.Of(system);
        _longest = (int)SizeOf("maximum-frame-size");
        MaximumPayloadBytes = _longest;
    }

    /// <inheritdoc/>
    public override bool IsResponsibleFor(Address remote) => true;

    /// <inheritdoc/>
    public override async Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        var host = Config.GetString("hostname") is { Length: > 0 } name ? name : IPAddress.Any.ToString();
        var address = await ResolveAsync(host).ConfigureAwait(false);
        var server = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(address, Config.GetInt("port")));
        server.Listen(Config.GetInt("backlog"));
        _stopListening = server.Dispose;
        var bound = ((IPEndPoint)server.LocalEndPoint!).Port;
        _local = new Address(
            SchemeIdentifier, System.Name,
            Config.GetString("public-hostname") is { Length: > 0 } known ? known : host,
            Config.GetInt("public-port") is > 0 and var port ? port : bound);
        _ = AcceptAsync(server);
        return (_local, _listener);
    }

    /// <inheritdoc/>
    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using var limit = new CancellationTokenSource(Config.GetTimeSpan("connection-timeout"));
            await socket.ConnectAsync(remoteAddress.Host!, remoteAddress.Port!.Value, limit.Token).ConfigureAwait(false);
            return Link(socket, remoteAddress);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            var why = e is SocketException ? e.Message : "nobody answered in time";
            throw new InvalidAssociationException($"No connection to {remoteAddress}: {why}", e);
        }
    }

    /// <inheritdoc/>
    public override Task<bool> Shutdown()
    {
        _ends = true;
        _stopListening();
        foreach (var link in _links.Values) link.Disassociate(Ending, _log);
        return Task.FromResult(true);
    }

    private SocketLink Link(Socket socket, Address remote)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        if (SizeOf("send-buffer-size") is > 0 and var outgoing) socket.SendBufferSize = (int)outgoing;
        if (SizeOf("receive-buffer-size") is > 0 and var incoming) socket.ReceiveBufferSize = (int)incoming;
        var link = new SocketLink(socket, _strand, _longest, _local!, remote, l => _links.TryRemove(l, out _));
        _links.TryAdd(link, link);
        if (_ends) link.Disassociate(Ending, _log);
        return link;
    }

    private async Task AcceptAsync(Socket server)
    {
        var listener = await _listener.Task.ConfigureAwait(false);
        while (true)
        {
            try
            {
                Welcome(await server.AcceptAsync().ConfigureAwait(false), listener);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException e)
            {
                // Such as no file descriptors left: those who wait are accepted later.
                _log.Warning("No connection can be accepted: {0}", e.Message);
                await Task.Delay(AcceptAgain).ConfigureAwait(false);
            }
        }
    }

    private void Welcome(Socket socket, IAssociationEventListener listener)
    {
        try
        {
            var from = (IPEndPoint)socket.RemoteEndPoint!;
            var link = Link(socket, new Address(SchemeIdentifier, System.Name, from.Address.ToString(), from.Port));
            listener.Notify(new InboundAssociation(link));
        }
        catch (SocketException)
        {
            // It has gone already.
            socket.Dispose();
        }
    }

    private async Task<IPAddress> ResolveAsync(string host)
    {
        if (IPAddress.TryParse(host, out var address)) return address;
        var all = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        var family = Config.GetBoolean("dns-use-ipv6") ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return Array.Find(all, a => a.AddressFamily == family) ?? all[0];
    }

    private long SizeOf(string setting) => Config.GetByteSize(setting) ?? throw new ConfigurationException($"{setting} is missing");
}
