using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Remote;
using Akka.Remote.Serialization;
using Akka.Serialization;
using Google.Protobuf.WellKnownTypes;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using RecoverKV.Specs.Network;

namespace RecoverKV.Specs.Serialization;

/// <summary>
/// Two nodes with their full configuration over real connections: Akka.Cluster works, the messages that have a codec
/// arrive, and no other is sent or taken. Messages of one sender arrive in order, so what did not arrive before the
/// next known one was refused.
/// </summary>
public sealed class ClosedSerializationSpec : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const string Daemon = "/system/cluster/core/daemon";
    private static int _foreignMade;
    private readonly TemporaryFolder _folder = new();
    private readonly Neighbours _members = new("node1", "node2");
    private readonly List<(ActorSystem System, DataFolder Folder)> _nodes = [];
    private readonly Channel<object> _received = Channel.CreateUnbounded<object>();
    private readonly Channel<object> _elsewhere = Channel.CreateUnbounded<object>();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var (system, folder) in _nodes)
        {
            await system.Terminate();
            folder.Dispose();
        }

        _folder.Dispose();
    }

    /// <summary>All that they say to each other for that passes.</summary>
    [Fact]
    public async Task A_cluster_forms_and_a_node_leaves_it()
    {
        const string aloud = "akka { loglevel = WARNING, loggers = [] }";
        var (one, two) = (Start("node1", aloud), Start("node2", aloud));
        var warnings = Channel.CreateUnbounded<object>();
        foreach (var system in new[] { one, two })
        {
            system.EventStream.Subscribe(
                system.ActorOf(Props.Create(() => new Recorder(warnings.Writer))), typeof(Warning));
        }

        await Task.WhenAll(BothUpAsync(one), BothUpAsync(two));
        var removed = RemovedAsync(two, "node1");
        await CoordinatedShutdown.Get(one).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance)
            .WaitAsync(Patience);
        await removed;
        while (warnings.Reader.TryRead(out var warning))
            Assert.DoesNotContain("dropped", ((Warning)warning).Message.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The other node is the spec, which sees all that comes.</summary>
    [Fact]
    public async Task A_node_sends_only_what_has_a_codec()
    {
        using var listener = new TcpListener(IPAddress.Loopback, _members["node2"].Port);
        listener.Start();
        var system = Start("node1");
        var target = Resolve(system, "/user/node");
        target.Tell(Knock);
        var (peer, _) = await BarePeer.WelcomeAsync(listener, _members.Door("node2"));
        using var __ = peer;
        await peer.SendAsync(AkkaFrames.Associate(_members["node2"]));
        // What was sent before may be lost: this is sent until it comes.
        var frames = new List<byte[]>();
        var (next, last) = (peer.NextAsync(), PeerCodec.Encode(Last));
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            limit.Token.ThrowIfCancellationRequested();
            foreach (var foreign in ForeignMessages()) target.Tell(foreign);
            target.Tell(Last);
            await Task.WhenAny(next, Task.Delay(20));
            if (!next.IsCompleted) continue;
            var frame = (await next)!;
            frames.Add(frame);
            if (frame.AsSpan().IndexOf(last) >= 0 && frames.Count > 50) break;
            next = peer.NextAsync();
        }

        var complaints = new List<string>();
        var filter = new PeerFilter("node1", _members["node1"], complaints.Add);
        Assert.All(frames, frame => Assert.True(filter.LetsPass(frame), string.Concat(complaints)));
        Assert.All(
            frames,
            frame => Assert.DoesNotContain("Foreign", Encoding.Latin1.GetString(frame), StringComparison.Ordinal));
    }

    /// <summary>In the place of a node, and with its secret, is an actor system that sends anything, by Akka's own
    /// serializers.
    /// </summary>
    [Fact]
    public async Task A_node_takes_only_what_has_a_codec_and_is_its_peers_to_say()
    {
        var (insider, node) = (StartInsider(), StartRecording());
        await Task.WhenAll(BothUpAsync(insider), BothUpAsync(node));
        var target = await ConnectAsync(insider);
        var leaving = LeavingAsync(node);

        var made = _foreignMade;
        var messages = ForeignMessages();
        var making = _foreignMade - made;
        foreach (var foreign in messages) target.Tell(foreign);
        insider.ActorOf(
            Props.Create(() => new Intruder()).WithDeploy(new Deploy(new RemoteScope(Address.Parse(Target)))));
        target.Tell(PoisonPill.Instance);
        target.Tell(Kill.Instance);
        target.Tell(new Identify(1));
        foreach (var order in new ISystemMessage[] { new Suspend(), new Terminate(), new Resume(null) })
            ((IInternalActorRef)target).SendSystemMessage(order);
        foreach (var name in new[] { "node2", "node3" }) target.Tell(Last with { Header = Header(name) });
        foreach (var pattern in new[] { "/user/node", "/user/other", "/user/*", "/system/*" })
        {
            var selection = insider.ActorSelection(Target + pattern);
            selection.Tell(Last);
            selection.Tell(PoisonPill.Instance);
        }

        foreach (var path in new[] { "/user/other", "/user/node/replica", "/user", "/system", "/remote", Daemon })
        {
            var other = Resolve(insider, path);
            foreach (var message in new object[] { Last, PoisonPill.Instance, Kill.Instance }) other.Tell(message);
            ((IInternalActorRef)other).SendSystemMessage(new Terminate());
        }

        foreach (var order in new[] { "Leave", "Down" })
        {
            // Akka.Cluster has these for itself.
            var type = typeof(Cluster).Assembly.GetType($"Akka.Cluster.ClusterUserAction+{order}", throwOnError: true)!;
            Resolve(insider, Daemon).Tell(Activator.CreateInstance(type, Address.Parse(Target))!);
        }

        target.Tell(Last);
        Assert.Equal(Last, await NextAsync());
        Assert.Equal(making, _foreignMade - made);
        Assert.False(Intruder.WasStarted);
        Assert.False(_elsewhere.Reader.TryRead(out _));
        // The one that leaves is the one that says so itself, after all that.
        Cluster.Get(insider).Leave(Cluster.Get(insider).SelfAddress);
        Assert.Equal(_members["node1"].Port, (await leaving.WaitAsync(Patience)).Port);
        Assert.False(node.WhenTerminated.IsCompleted);
    }

    /// <summary>Such a system does send all that.</summary>
    [Fact]
    public async Task What_an_insider_says_comes_as_far_as_the_filter()
    {
        using var listener = new TcpListener(IPAddress.Loopback, _members["node2"].Port);
        listener.Start();
        var insider = StartInsider();
        var target = Resolve(insider, "/user/node");
        target.Tell(Knock);
        var (peer, _) = await BarePeer.WelcomeAsync(listener, _members.Door("node2"));
        using var __ = peer;
        await peer.SendAsync(AkkaFrames.Associate(_members["node2"]));
        var complaints = new HashSet<string>();
        var filter = new PeerFilter("node1", _members["node1"], c => complaints.Add(c));
        var next = peer.NextAsync();
        var wanted = new[] { AkkaFrames.Json, 2, 3, AkkaFrames.Misc, AkkaFrames.SystemMessages }
            .Select(id => $"(of serializer {id},");
        using var limit = new CancellationTokenSource(Patience);
        while (!wanted.All(w => complaints.Any(c => c.Contains(w, StringComparison.Ordinal))))
        {
            foreach (var foreign in ForeignMessages()) target.Tell(foreign);
            target.Tell(PoisonPill.Instance);
            ((IInternalActorRef)target).SendSystemMessage(new Suspend());
            insider.ActorOf(
                Props.Create(() => new Intruder()).WithDeploy(new Deploy(new RemoteScope(Address.Parse(Target)))));
            await Task.WhenAny(next, Task.Delay(20));
            limit.Token.ThrowIfCancellationRequested();
            if (!next.IsCompleted) continue;
            filter.LetsPass((await next)!);
            next = peer.NextAsync();
        }
    }

    /// <summary>By Akka's own transport, which says neither hello nor secret.</summary>
    [Fact]
    public async Task Another_system_of_Akka_does_not_connect()
    {
        StartRecording();
        using var stranger = ActorSystem.Create(NodeSettings.SystemName, ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = remote
              remote.dot-netty.tcp.hostname = "127.0.0.1"
              remote.dot-netty.tcp.port = {{_members["node1"].Port}}
            }
            """));
        var failed = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
        stranger.EventStream.Subscribe(
            stranger.ActorOf(Props.Create(() => new First(failed))), typeof(AssociationErrorEvent));
        foreach (var path in new[] { "/user/node", "/user/other", Daemon })
        {
            Resolve(stranger, path).Tell("hello");
            stranger.ActorSelection(Target + path).Tell(PoisonPill.Instance);
        }

        var error = Assert.IsType<AssociationErrorEvent>(await failed.Task.WaitAsync(Patience));
        Assert.Equal(_members["node2"].Port, error.RemoteAddress.Port);
        await stranger.Terminate();
        Assert.False(_received.Reader.TryRead(out _));
        Assert.False(_elsewhere.Reader.TryRead(out _));
    }

    private static Header Header(string from) =>
        new(new MemberId(new NodeId(from), Guid.Empty), new NodeId("node2"), Guid.Empty, 7);

    private static readonly PeerEnvelope Knock = new(Header("node1"), new Handover(new Epoch(4)));

    private static readonly PeerEnvelope Last = new(Header("node1"), new Commit(new Epoch(4), new Uid(987_654_321)));

    private string Target => $"akka.tcp://recoverkv@127.0.0.1:{_members["node2"].Port}";

    private static object[] ForeignMessages() =>
        [
            new Foreign { Text = "x" }, new object[] { 1 }, new StringValue { Value = "Foreign" },
            Guid.NewGuid(), 1.5, new ClusterViewRequest(1),
        ];

    private ActorSystem Start(string node, string more = "")
    {
        var settings = _members.Settings(node, _folder.File(node));
        var folder = DataFolder.Open(settings.Data, settings.Self.Node);
        var config = ConfigurationFactory.ParseString(more).WithFallback(AkkaConfig.Of(settings));
        var journal = JournalFile.Setups(folder.Journal, settings.Durability);
        var system = ActorSystem.Create(NodeSettings.SystemName, ActorSystemSetup.Create(
            [BootstrapSetup.Create().WithConfig(config), new Door(settings), .. journal]));
        _nodes.Add((system, folder));
        return system;
    }

    private ActorSystem StartInsider() => Start("node1", $$"""
        akka.actor {
          serializers {
            json = "Akka.Serialization.NewtonSoftJsonSerializer, Akka"
            proto = "{{typeof(OpenProtobuf).AssemblyQualifiedName}}"
            daemon-create = "{{typeof(OpenDeployment).AssemblyQualifiedName}}"
          }
          serialization-settings.allow-unregistered-types = true
        }
        """);

    /// <summary>The second node, with what is told to the replica and to another actor.</summary>
    private ActorSystem StartRecording()
    {
        var system = Start("node2");
        system.ActorOf(Props.Create(() => new Recorder(_received.Writer)), "node");
        system.ActorOf(Props.Create(() => new Recorder(_elsewhere.Writer)), "other");
        return system;
    }

    private IActorRef Resolve(ActorSystem system, string path) =>
        ((ExtendedActorSystem)system).Provider.ResolveActorRef(Target + path);

    /// <summary>Messages are lost until the connection stands.</summary>
    private async Task<IActorRef> ConnectAsync(ActorSystem system)
    {
        var target = Resolve(system, "/user/node");
        using var limit = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var arrived = _received.Reader.WaitToReadAsync(limit.Token).AsTask();
        while (!arrived.IsCompleted)
        {
            target.Tell(Knock);
            await Task.WhenAny(arrived, timer.WaitForNextTickAsync(limit.Token).AsTask());
        }

        await arrived;
        return target;
    }

    private async Task<object> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var message = await _received.Reader.ReadAsync(limit.Token);
            if (!Knock.Equals(message)) return message;
        }
    }

    private static Task<Address> BothUpAsync(ActorSystem system)
    {
        var up = new HashSet<Address>();
        return SeenAsync(system, e => e is ClusterEvent.MemberUp && up.Add(e.Member.Address) && up.Count == 2);
    }

    private Task<Address> RemovedAsync(ActorSystem system, string node) =>
        SeenAsync(system, e => e is ClusterEvent.MemberRemoved && e.Member.Address.Port == _members[node].Port);

    /// <summary>Who is the first that goes, or is taken away.</summary>
    private static Task<Address> LeavingAsync(ActorSystem system) => SeenAsync(
        system, e => e is ClusterEvent.MemberLeft or ClusterEvent.MemberExited
            or ClusterEvent.MemberDowned or ClusterEvent.MemberRemoved);

    /// <summary>Ends with the first such event's member.</summary>
    private static Task<Address> SeenAsync(ActorSystem system, Predicate<ClusterEvent.IMemberEvent> wanted)
    {
        var seen = new TaskCompletionSource<Address>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.ActorOf(Props.Create(() => new Watch(wanted, seen)));
        return seen.Task.WaitAsync(Patience);
    }

    /// <summary>One of Akka's own, which know no settings.</summary>
    private abstract class Open(ExtendedActorSystem system, Config settings, Serializer akkas) : Serializer(system)
    {
        public override int Identifier { get; } = settings.GetInt("id");

        public override bool IncludeManifest => akkas.IncludeManifest;

        public override byte[] ToBinary(object obj) => akkas.ToBinary(obj);

        public override object FromBinary(byte[] bytes, System.Type type) => akkas.FromBinary(bytes, type);
    }

    private sealed class OpenProtobuf(ExtendedActorSystem system, Config settings)
        : Open(system, settings, new ProtobufSerializer(system));

    private sealed class OpenDeployment(ExtendedActorSystem system, Config settings)
        : Open(system, settings, new DaemonMsgCreateSerializer(system));

    public sealed class Foreign
    {
        public Foreign() => Interlocked.Increment(ref _foreignMade);

        public string? Text { get; set; }
    }

    private sealed class Intruder : ReceiveActor
    {
        public Intruder() => WasStarted = true;

        public static bool WasStarted { get; private set; }
    }

    private sealed class Recorder : ReceiveActor
    {
        public Recorder(ChannelWriter<object> received) => ReceiveAny(message => received.TryWrite(message));
    }

    private sealed class First : ReceiveActor
    {
        public First(TaskCompletionSource<object> first) => ReceiveAny(message => first.TrySetResult(message));
    }

    private sealed class Watch : ReceiveActor
    {
        public Watch(Predicate<ClusterEvent.IMemberEvent> wanted, TaskCompletionSource<Address> seen)
        {
            Receive<ClusterEvent.IMemberEvent>(e =>
            {
                if (wanted(e)) seen.TrySetResult(e.Member.Address);
            });
            Cluster.Get(Context.System).Subscribe(
                Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
                typeof(ClusterEvent.IMemberEvent));
        }
    }
}
