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

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenComplaints = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<SocketLink, EndPoint?> _links = [];

    // Those that peers made, by where they come from: a lane names the one that it belongs to.
    private readonly ConcurrentDictionary<EndPoint, SocketLink> _fromPeers = [];
    private readonly TaskCompletionSource<IAssociationEventListener> _listener =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILoggingAdapter _log;
    private readonly Strand _strand;
    private readonly int _longest;
    private readonly Descriptors _descriptors = Descriptors.OfThisProcess();
    private readonly Strangers _strangers;
    private long _complainedAt = -(long)BetweenComplaints.TotalMilliseconds;
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
        _strangers = new Strangers(_descriptors.Silent, Silence);
    }

    /// <inheritdoc/>
    public override bool IsResponsibleFor(Address remote) => true;

    /// <inheritdoc/>
    public override async Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        var host = Config.GetString("hostname") is { Length: > 0 } name ? name : IPAddress.Any.ToString();
        var address = await ResolveAsync(host).ConfigureAwait(false);
        var server = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _descriptors.Check(server);
        // "::" takes IPv4 as well.
        if (address.Equals(IPAddress.IPv6Any)) server.DualMode = true;
        // Connections inherit it, from their first segment on.
        SetBuffers(server);
        server.Bind(new IPEndPoint(address, Config.GetInt("port")));
        server.Listen(Config.GetInt("backlog"));
        _stopListening = server.Dispose;
        var bound = ((IPEndPoint)server.LocalEndPoint!).Port;
        var known = Config.GetString("public-hostname") is { Length: > 0 } other ? other : host;
        _local = new Address(
            SchemeIdentifier, System.Name, Hosts.Normalize(known, bare: true) ?? known,
            Config.GetInt("public-port") is > 0 and var port ? port : bound);
        _ = AcceptAsync(server);
        return (_local, _listener);
    }

    /// <inheritdoc/>
    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        try
        {
            var isPeer = remoteAddress.System == System.Name;
            var socket = await ConnectAsync(remoteAddress).ConfigureAwait(false);
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            var lane = isPeer ? new SideLane(() => ConnectLaneAsync(remoteAddress, port), _strand) : null;
            return Link(socket, remoteAddress, new FrameReader(_longest), lane: lane);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or TooFewDescriptorsException)
        {
            var why = e is OperationCanceledException ? "nobody answered in time" : e.Message;
            throw new InvalidAssociationException($"No connection to {remoteAddress}: {why}", e);
        }
    }

    /// <inheritdoc/>
    public override Task<bool> Shutdown()
    {
        _ends = true;
        _stopListening();
        _strangers.Close();
        foreach (var link in _links.Keys) link.Disassociate(Ending, _log);
        return Task.FromResult(true);
    }

    private async Task<Socket> ConnectAsync(Address to)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (!_descriptors.MayKeep(socket, isPeer: true)) throw new TooFewDescriptorsException(_descriptors.Limit);
            SetBuffers(socket);
            using var limit = new CancellationTokenSource(Config.GetTimeSpan("connection-timeout"));
            await socket.ConnectAsync(Hosts.Bare(to.Host!), to.Port!.Value, limit.Token).ConfigureAwait(false);
            Prepare(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The lane of a link whose connection was made from this port; the other side has taken it.</summary>
    private async Task<Socket> ConnectLaneAsync(Address to, int port)
    {
        var socket = await ConnectAsync(to).ConfigureAwait(false);
        try
        {
            var hello = new FrameWriter(SideLane.Small);
            hello.TryAdd(Pdu.BeginLane(port));
            hello.TryTake(out var bytes);
            using var limit = new CancellationTokenSource(Config.GetTimeSpan("connection-timeout"));
            await socket.SendAsync(bytes, limit.Token).ConfigureAwait(false);
            return await socket.ReceiveAsync(new byte[1], limit.Token).ConfigureAwait(false) == 1
                ? socket
                : throw new IOException($"{to} takes no lane");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private SocketLink Link(
        Socket socket, Address remote, FrameReader incoming, byte[]? first = null, SideLane? lane = null, EndPoint? peer = null)
    {
        incoming.Longest = _longest;
        var link = new SocketLink(socket, _strand, incoming, first, (_local!, remote), lane, Forget);
        _links.TryAdd(link, peer);
        if (peer is not null) _fromPeers[peer] = link;
        if (_ends) link.Disassociate(Ending, _log);
        return link;
    }

    private void Forget(SocketLink link)
    {
        if (_links.TryRemove(link, out var peer) && peer is not null) _fromPeers.TryRemove(KeyValuePair.Create(peer, link));
    }

    private void SetBuffers(Socket socket)
    {
        if (SizeOf("send-buffer-size") is > 0 and var outgoing) socket.SendBufferSize = (int)outgoing;
        if (SizeOf("receive-buffer-size") is > 0 and var incoming) socket.ReceiveBufferSize = (int)incoming;
    }

    private static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
    }

    private async Task AcceptAsync(Socket server)
    {
        var listener = await _listener.Task.ConfigureAwait(false);
        while (true)
        {
            try
            {
                _ = WelcomeAsync(await server.AcceptAsync().ConfigureAwait(false), listener);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException e)
            {
                // Such as no file descriptors left: those who wait are accepted later.
                Complain($"No connection can be accepted: {e.Message}");
                await Task.Delay(AcceptAgain).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What was accepted becomes a connection of Akka's once it has said who it is.</summary>
    private async Task WelcomeAsync(Socket socket, IAssociationEventListener listener)
    {
        if (!_descriptors.MayKeep(socket, isPeer: true))
        {
            socket.Dispose();
            ComplainOfCrowd();
            return;
        }

        var incoming = new FrameReader(Pdu.LongestHello);
        if (await _strangers.ListenAsync(socket, incoming, ComplainOfCrowd).ConfigureAwait(false) is not { } first) return;
        try
        {
            Prepare(socket);
            var from = (IPEndPoint)socket.RemoteEndPoint!;
            if (Pdu.LaneOf(first) is { } port)
            {
                await TakeLaneAsync(socket, new IPEndPoint(from.Address, port), incoming).ConfigureAwait(false);
                return;
            }

            var isPeer = Pdu.SystemOf(first) == System.Name;
            if (!_descriptors.MayKeep(socket, isPeer))
            {
                socket.Dispose();
                ComplainOfCrowd();
                return;
            }

            var remote = new Address(SchemeIdentifier, System.Name, Hosts.Normalize($"{from.Address}", bare: true), from.Port);
            listener.Notify(new InboundAssociation(Link(socket, remote, incoming, first, peer: isPeer ? from : null)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone already.
            socket.Dispose();
        }
    }

    private async Task TakeLaneAsync(Socket socket, IPEndPoint of, FrameReader incoming)
    {
        if (!_fromPeers.TryGetValue(of, out var link))
        {
            socket.Dispose();
            return;
        }

        await socket.SendAsync(new byte[1]).ConfigureAwait(false);
        link.Take(socket, incoming);
    }

    private void ComplainOfCrowd() => Complain(
        $"Connections are closed at once: this process may have {_descriptors.Limit} files open (ulimit -n), and the rest is "
        + $"kept for peers and files; besides, at most {_descriptors.Silent} may be silent");

    // Who connects does not decide how much is logged.
    private void Complain(string what)
    {
        var now = Environment.TickCount64;
        var last = Interlocked.Read(ref _complainedAt);
        if (now - last >= (long)BetweenComplaints.TotalMilliseconds
            && Interlocked.CompareExchange(ref _complainedAt, now, last) == last)
        {
            _log.Warning("{0}", what);
        }
    }

    private async Task<IPAddress> ResolveAsync(string host)
    {
        if (IPAddress.TryParse(Hosts.Bare(host), out var address)) return address;
        var all = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        var family = Config.GetBoolean("dns-use-ipv6") ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return Array.Find(all, a => a.AddressFamily == family) ?? all[0];
    }

    private long SizeOf(string setting) => Config.GetByteSize(setting) ?? throw new ConfigurationException($"{setting} is missing");
}
