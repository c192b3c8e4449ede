using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Gateway;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>
/// A node's connections, straight on the sockets of .NET and on the <see cref="Strand"/> of the actor system. One port
/// takes all of them; the first frame says what one is for, before anything else is read of it. Those of peers, once
/// they have proven to be nodes, carry what Akka's own TCP transport would, which moves each message through an event
/// loop's thread on the way in and out and doubles the time of a call. Those of clients are the
/// <see cref="ClientDoor"/>'s; Akka does not see them. Of that transport's settings it knows those of addresses, sizes,
/// backlog and connection timeout.
/// </summary>
internal sealed class SocketTransport : Transport
{
    private const string Ending = "the actor system ends";
    private static readonly TimeSpan AcceptAgain = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<AkkaLink, EndPoint?> _links = [];

    // Those that peers made, by where they come from: a lane names the one that it belongs to.
    private readonly ConcurrentDictionary<EndPoint, AkkaLink> _fromPeers = [];
    private readonly TaskCompletionSource<IAssociationEventListener> _listener =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILoggingAdapter _log;
    private readonly Strand _strand;
    private readonly int _longest;
    private readonly Descriptors _descriptors = Descriptors.OfThisProcess();
    private readonly Strangers _strangers;
    private readonly Reception _reception;
    private readonly Door _door;
    private readonly ClientDoor _clients;
    private readonly Complaints _complaints;
    private readonly Complaints _ofPeers;
    private Action _stopListening = static () => { };
    private volatile bool _ends;
    private Address? _local;

    /// <summary>Called by Akka, with the settings of <c>akka.remote.dot-netty.tcp</c>.</summary>
    public SocketTransport(ActorSystem system, Config config)
    {
        if (config.GetBoolean("enable-ssl"))
        {
            throw new ConfigurationException(
                "enable-ssl: it is recoverkv.tls that encrypts RecoverKV's connections");
        }

        (System, Config) = (system, config);
        SchemeIdentifier = "tcp";
        _log = Logging.GetLogger(system, this);
        _complaints = new Complaints(line => _log.Warning("{0}", line));
        _ofPeers = new Complaints(line => _log.Warning("{0}", line));
        _strand = Strands.Of(system);
        _door = Door.Of(system)
            ?? throw new ConfigurationException("SocketTransport is for nodes of RecoverKV, which give it a Door");
        _longest = (int)SizeOf("maximum-frame-size");
        MaximumPayloadBytes = _longest;
        _strangers = new Strangers(_descriptors.Silent, Silence);
        _clients = new ClientDoor((ExtendedActorSystem)system, _door, _strand, _complaints.Add);
        _reception = new Reception(_door, _descriptors, _clients, _complaints, _ofPeers);
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
        if (_door.Tls is { } credentials)
            _ = credentials.WatchAsync(notice => _log.Warning("{0}", notice), () => _ends);
        return (_local, _listener);
    }

    /// <inheritdoc/>
    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        // Whatever a message says of where to answer: nodes are connected to, and nobody else.
        if (_door.Find(remoteAddress.Host ?? "", remoteAddress.Port ?? 0) is not { } member)
            throw new InvalidAssociationException($"{remoteAddress} is none of recoverkv.members");
        try
        {
            var (socket, stream, incoming) = await ConnectAsync(member, Role.Node).ConfigureAwait(false);
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            var lane = new SideLane(
                async () => (await ConnectAsync(member, Role.Lane, port).ConfigureAwait(false)).Stream, _strand);
            return Link(socket, stream, incoming, remoteAddress, member.Node.Name, lane);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException
            or InvalidDataException)
        {
            // What cannot be reached is a matter of course; who refuses, or cannot prove who it is, is not.
            if (e is IOException { InnerException: null } and not TooFewDescriptorsException)
            {
                _door.Refused(e.Message);
                _ofPeers.Add(e.Message);
            }

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
        _clients.Close();
        return Task.FromResult(true);
    }

    /// <summary>A connection at whose other end a node has proven to be one.</summary>
    private async Task<(Socket Socket, Stream Stream, FrameReader Incoming)> ConnectAsync(
        Member to, Role role, int port = 0)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Stream? stream = null;
        try
        {
            if (!_descriptors.MayKeep(socket, isPeer: true)) throw new TooFewDescriptorsException(_descriptors.Limit);
            SetBuffers(socket);
            using var limit = new CancellationTokenSource(Config.GetTimeSpan("connection-timeout"));
            await socket.ConnectAsync(Hosts.Bare(to.Host), to.Port, limit.Token).ConfigureAwait(false);
            Prepare(socket);
            stream = new NetworkStream(socket, ownsSocket: true);
            string? objection = null;
            if (_door.Tls is { } tls)
            {
                var secured = await SecureAsync(tls.Current.ConnectAsync(stream, Hosts.Bare(to.Host), limit.Token), to)
                    .ConfigureAwait(false);
                using var shown = secured.Certificate;
                (stream, objection) = (secured.Stream, NodeCredentials.Objection(secured, to.Node.Name));
            }

            var incoming = new FrameReader(Knock.Longest);
            await NodeGreeting.ConnectAsync(
                stream, incoming, _door, to, role, port, objection, limit.Token).ConfigureAwait(false);
            return (socket, stream, incoming);
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Secured> SecureAsync(Task<Secured> securing, Member with)
    {
        try
        {
            return await securing.ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is null)
        {
            throw new IOException($"{with}: {e.Message}; is recoverkv.tls.mode on there?");
        }
    }

    private AkkaLink Link(
        Socket socket, Stream stream, FrameReader incoming, Address remote, string node,
        SideLane? lane = null, EndPoint? from = null)
    {
        incoming.Trust(_longest);
        var filter = new PeerFilter(node, _door.Find(node), _ofPeers.Add);
        var link = new AkkaLink(
            new FrameLink(socket, stream, _strand, incoming, lane: lane), filter, _local!, remote, Forget);
        _links.TryAdd(link, from);
        if (from is not null) _fromPeers[from] = link;
        if (_ends) link.Disassociate(Ending, _log);
        return link;
    }

    private void Forget(AkkaLink link)
    {
        if (_links.TryRemove(link, out var peer) && peer is not null)
            _fromPeers.TryRemove(KeyValuePair.Create(peer, link));
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
            catch (Exception e) when (e is ObjectDisposedException
                or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException e)
            {
                // Such as no file descriptors left: those who wait are accepted later.
                _complaints.Add($"No connection can be accepted: {e.Message}");
                await Task.Delay(AcceptAgain).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What was accepted becomes a connection once it has said what it is for.</summary>
    private async Task WelcomeAsync(Socket socket, IAssociationEventListener listener)
    {
        if (!_descriptors.MayKeep(socket, isPeer: true))
        {
            socket.Dispose();
            _reception.ComplainOfCrowd();
            return;
        }

        var incoming = _clients.NewReader();
        var guest = await _strangers
            .ListenAsync(socket, limit => _reception.GreetAsync(socket, incoming, limit), _reception.ComplainOfCrowd)
            .ConfigureAwait(false);
        if (guest is null) return;
        try
        {
            var (knock, stream) = guest;
            Prepare(socket);
            var from = (IPEndPoint)socket.RemoteEndPoint!;
            if (knock.Role == Role.Client)
            {
                _clients.Enter(socket, stream, incoming);
            }
            else if (knock.Role == Role.Node)
            {
                var remote = new Address(
                    SchemeIdentifier, System.Name, Hosts.Normalize($"{from.Address}", bare: true), from.Port);
                listener.Notify(new InboundAssociation(Link(socket, stream, incoming, remote, knock.From, from: from)));
            }
            else if (_fromPeers.TryGetValue(new IPEndPoint(from.Address, knock.Port), out var link)
                && link.Peer == knock.From)
            {
                incoming.Trust(_longest);
                link.Link.Take(stream, incoming);
            }
            else
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone already.
            await guest.Stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<IPAddress> ResolveAsync(string host)
    {
        if (IPAddress.TryParse(Hosts.Bare(host), out var address)) return address;
        var all = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        var family = Config.GetBoolean("dns-use-ipv6") ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return Array.Find(all, a => a.AddressFamily == family) ?? all[0];
    }

    private long SizeOf(string setting) =>
        Config.GetByteSize(setting) ?? throw new ConfigurationException($"{setting} is missing");
}
