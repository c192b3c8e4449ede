using Akka.Actor;
using Akka.Serialization;
using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;
using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs;

/// <summary>Clients that send what a gateway does not understand.</summary>
public sealed class GatewaySpec : IAsyncLifetime
{
    private TestCluster _cluster = null!;
    private TestClient _odd = null!;

    public async Task InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(1);
        _odd = TestClient.Start($"{typeof(OddSerializer).FullName!}, {typeof(OddSerializer).Assembly.GetName().Name}");
    }

    public async Task DisposeAsync()
    {
        await _odd.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task An_unknown_message_is_answered_and_the_gateway_goes_on()
    {
        var node = _cluster.Nodes[0];
        var answer = await _odd.AskAsync<Unsupported>(node, new Odd("ZZ", [1, 2, 3]), TestCluster.Patience);
        Assert.Equal("ZZ", answer?.Manifest);
        Assert.NotNull(await _odd.StatusAsync(node));
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_lost_alone()
    {
        var node = _cluster.Nodes[0];
        Assert.NotNull(await _odd.StatusAsync(node));
        // A batch that ends amid a field, and a type that no client may send. The next message takes the same connection.
        Assert.Null(await _odd.AskAsync<WriteReplies>(node, new Odd("WB", [0x0A, 0x7F, 0x01]), TimeSpan.FromMilliseconds(100)));
        Assert.Null(await _odd.AskAsync<object>(node, "text", TimeSpan.FromMilliseconds(100)));
        Assert.NotNull(await _odd.StatusAsync(node));
        await TestSession.OpenAsync(_cluster);
    }

    [Theory]
    [InlineData("/user/gateway")]
    [InlineData(ReplicaActor.Path)]
    [InlineData(ReplicaActor.Path + "/replica")]
    public async Task What_messages_pass_through_shares_the_strand_of_the_connections(string path)
    {
        var system = _cluster.Nodes[0].System;
        var actor = (ActorRefWithCell)await system.ActorSelection(path).ResolveOne(TestCluster.Patience);
        var dispatcher = ((ActorCell)actor.Underlying).Dispatcher.Id;
        Assert.Equal("akka.actor.recoverkv-strand", dispatcher);
        Assert.Equal(dispatcher, system.Settings.Config.GetString("akka.remote.use-dispatcher"));
    }

    /// <summary>A message as a client of another version, or a broken one, would send it.</summary>
    public sealed record Odd(string Manifest, byte[] Bytes) : IClientMessage;

    /// <summary>Sends <see cref="Odd"/> as it is, and all else like every client.</summary>
    public sealed class OddSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
    {
        private readonly ClientSerializer _rest = new(system);

        public override int Identifier => ClientSerializer.Id;

        public override string Manifest(object o) => o is Odd odd ? odd.Manifest : _rest.Manifest(o);

        public override byte[] ToBinary(object obj) => obj is Odd odd ? odd.Bytes : _rest.ToBinary(obj);

        public override object FromBinary(byte[] bytes, string manifest) => _rest.FromBinary(bytes, manifest);
    }
}
