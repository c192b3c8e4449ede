using Akka.Actor;
using Akka.Configuration;
using Akka.Remote;
using Akka.Serialization;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Client;

/// <summary>What a client gets from the network is not trusted, and does it no harm.</summary>
public sealed class HostileNodeSpecs
{
    [Fact]
    public async Task Malformed_and_foreign_messages_are_dropped_and_the_connection_stays()
    {
        using var system = ActorSystem.Create("recoverkv", ConfigurationFactory.ParseString("""
            akka.remote.dot-netty.tcp.hostname = 127.0.0.1
            akka.actor.serialization-settings.allow-unregistered-types = true
            akka.actor.serializers {
              recoverkv-client = "RecoverKV.Specs.Client.HostileSerializer, RecoverKV.Specs"
              json = "Akka.Serialization.NewtonSoftJsonSerializer, Akka"
            }
            """).WithFallback(ConfigurationFactory.FromResource<RecoverKvClient>("RecoverKV.Client.Connection.client.conf")));
        var port = ((ExtendedActorSystem)system).Provider.DefaultAddress.Port!.Value;
        system.ActorOf(Props.Create(() => new HostileGateway(port)), "gateway");

        await using var client = await RecoverKvClient.ConnectAsync([$"127.0.0.1:{port}"]);
        for (var i = 0; i < 3; i++) Assert.Equal("v", (await client.GetAsync("k")).Text);

        Assert.Equal(0, Foreign.Made);
        Assert.Equal(0, HostileGateway.Disconnects);
    }

    /// <summary>A type that the client would make if it let messages say what they are.</summary>
    public sealed class Foreign
    {
        private static int s_made;
        private string _name = "";

        public static int Made => s_made;

        public string Name
        {
            get => _name;
            set
            {
                _name = value;
                Interlocked.Increment(ref s_made);
            }
        }

        public static Foreign Harmless() => new() { _name = "x" };
    }

    private sealed class HostileGateway(int port) : UntypedActor
    {
        private static int s_disconnects;

        internal static int Disconnects => s_disconnects;

        protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));

        protected override void OnReceive(object message)
        {
            if (message is DisassociatedEvent or AssociationErrorEvent) Interlocked.Increment(ref s_disconnects);
            if (message is not IClientMessage) return;
            Sender.Tell(new UnknownMessage("no bytes of a message"));
            Sender.Tell(Foreign.Harmless());
            Sender.Tell(PoisonPill.Instance);
            Sender.Tell(new ReadReplies([new ReadAnswer(7, ReadStatus.Done, []), new ReadAnswer(-1, ReadStatus.Busy, [])]));
            Sender.Tell(new WriteReplies([new WriteAnswer(0, 0, WriteStatus.Done, 0, [])]));
            Sender.Tell(new WriteReplies([new WriteAnswer(9, 9, WriteStatus.Busy, -1, [null])]));
            Sender.Tell(new ClusterViewRequest(1));
            switch (message)
            {
                case ClusterViewRequest request:
                    Sender.Tell(new ClusterView(request.Id, 1, "n1", [new NodeAddress("n1", "127.0.0.1", port, true)], 10, 10));
                    break;
                case ReadBatch batch:
                    var version = new RecoverKV.Client.Contracts.Version("v"u8.ToArray(), 1);
                    Sender.Tell(new ReadReplies([.. batch.Reads.Select(r => new ReadAnswer(r.Id, ReadStatus.Done, [version]))]));
                    break;
            }
        }
    }
}

/// <summary>Sends an <see cref="UnknownMessage"/> as bytes that are no message.</summary>
public sealed class HostileSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly ClientSerializer _real = new(system);

    public override int Identifier => ClientSerializer.Id;

    public override string Manifest(object o) => o is UnknownMessage ? "RR" : _real.Manifest(o);

    public override byte[] ToBinary(object obj) => obj is UnknownMessage ? [0x0a, 0xff, 0xff] : _real.ToBinary(obj);

    public override object FromBinary(byte[] bytes, string manifest) => _real.FromBinary(bytes, manifest);
}
