using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Configuration;
using Google.Protobuf.WellKnownTypes;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using RecoverKV.Specs.Storage;

namespace RecoverKV.Specs.Serialization;

/// <summary>
/// Two nodes with their full configuration over real connections: Akka.Cluster works, the messages that have a codec
/// arrive, and no other is sent or taken. Messages of one sender arrive in order, so what did not arrive before the next
/// known one was refused.
/// </summary>
public sealed class ClosedSerializationSpec : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly ClusterViewRequest Knock = new(0);
    private static int _foreignMade;
    private readonly TemporaryFolder _folder = new();
    private readonly List<(ActorSystem System, DataFolder Folder)> _nodes = [];
    private readonly Channel<object> _received = Channel.CreateUnbounded<object>();
    private readonly int[] _ports = [JournalHarness.FreePort(), JournalHarness.FreePort()];

    public Task InitializeAsync()
    {
        foreach (var number in new[] { 1, 2 })
        {
            var settings = NodeSettings.Load(ConfigurationFactory.ParseString($$"""
                recoverkv {
                  node = node{{number}}
                  members = ["node1@127.0.0.1:{{_ports[0]}}", "node2@127.0.0.1:{{_ports[1]}}"]
                  data = "{{_folder.File($"node{number}")}}"
                  log-level = OFF
                }
                """));
            var folder = DataFolder.Open(settings.Data, settings.Self.Node);
            var system = ActorSystem.Create(NodeSettings.SystemName, ActorSystemSetup.Create(
                [BootstrapSetup.Create().WithConfig(AkkaConfig.Of(settings)), .. JournalFile.Setups(folder.Journal, settings.Durability)]));
            _nodes.Add((system, folder));
        }

        _nodes[1].System.ActorOf(Props.Create(() => new Recorder(_received.Writer)), "recorder");
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        foreach (var (system, folder) in _nodes)
        {
            await system.Terminate();
            folder.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_cluster_forms()
    {
        var up = _nodes.Select(node =>
        {
            var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            node.System.ActorOf(Props.Create(() => new UpWatch(both)));
            return both.Task;
        });
        await Task.WhenAll(up).WaitAsync(Patience);
    }

    private static readonly Header Sender =
        new(new MemberId(new NodeId("node1"), Guid.Empty), new NodeId("node2"), Guid.NewGuid(), 7);

    [Fact]
    public async Task A_node_sends_only_what_has_a_codec()
    {
        var target = await ConnectAsync(_nodes[0].System);
        foreach (var foreign in ForeignMessages()) target.Tell(foreign);
        target.Tell(new ClusterViewRequest(1));
        target.Tell(new PeerEnvelope(Sender, new Handover(new Epoch(4))));

        Assert.Equal(new ClusterViewRequest(1), await NextAsync());
        Assert.Equal(
            new PeerEnvelope(Sender, new Handover(new Epoch(4))), await NextAsync());
    }

    /// <summary>The sender is an actor system that sends anything, by Akka's own serializers.</summary>
    [Fact]
    public async Task A_node_takes_only_what_has_a_codec()
    {
        using var stranger = ActorSystem.Create("stranger", ConfigurationFactory.ParseString("""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = remote
              remote.dot-netty.tcp.hostname = "127.0.0.1"
              remote.dot-netty.tcp.port = 0
              actor.serializers.recoverkv-client = "RecoverKV.Client.Contracts.ClientSerializer, RecoverKV.Client"
              actor.serialization-bindings {
                "RecoverKV.Client.Contracts.IClientMessage, RecoverKV.Client" = recoverkv-client
              }
            }
            """));
        var target = await ConnectAsync(stranger);
        var made = _foreignMade;
        var messages = ForeignMessages();
        var making = _foreignMade - made;
        foreach (var foreign in messages) target.Tell(foreign);
        stranger.ActorOf(
            Props.Create(() => new Intruder())
                .WithDeploy(new Deploy(new RemoteScope(Address.Parse(Target)))),
            "intruder");
        target.Tell(PoisonPill.Instance);
        stranger.ActorSelection($"{Target}/user/recorder").Tell(new ClusterViewRequest(7));
        stranger.ActorSelection($"{Target}/user/*").Tell(new ClusterViewRequest(8));
        target.Tell(new ClusterViewRequest(2));

        Assert.Equal(new ClusterViewRequest(2), await NextAsync());
        Assert.Equal(making, _foreignMade - made);
        Assert.False(Intruder.WasStarted);
        await stranger.Terminate();
    }

    private string Target => $"akka.tcp://recoverkv@127.0.0.1:{_ports[1]}";

    private static object[] ForeignMessages() =>
        [new Foreign { Text = "x" }, new object[] { 1 }, new StringValue { Value = "x" }, Guid.NewGuid(), 1.5];

    /// <summary>Messages are lost until the connection stands.</summary>
    private async Task<IActorRef> ConnectAsync(ActorSystem system)
    {
        var target = ((ExtendedActorSystem)system).Provider.ResolveActorRef($"{Target}/user/recorder");
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

    private sealed class UpWatch : ReceiveActor
    {
        public UpWatch(TaskCompletionSource both)
        {
            var up = new HashSet<Address>();
            Receive<ClusterEvent.MemberUp>(e =>
            {
                up.Add(e.Member.Address);
                if (up.Count == 2) both.TrySetResult();
            });
            Cluster.Get(Context.System).Subscribe(
                Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp));
        }
    }
}
