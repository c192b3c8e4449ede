using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Replica;
using RecoverKV.Actors.Serialization;
using RecoverKV.Specs.Network;

namespace RecoverKV.Specs.Replica;

/// <summary>
/// Two nodes are connected. Another connection comes from the one of them and breaks at once, as when its handshake
/// took too long. Where both write to one connection, Akka.Remote then no longer reads it, for as long as it lives.
/// </summary>
public sealed class DeafConnectionSpec : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Neighbours _nodes = new("a", "b");
    private readonly Channel<object> _answers = Channel.CreateUnbounded<object>();
    private readonly ActorSystem _a, _b;
    private long _asked;

    public DeafConnectionSpec() => (_a, _b) = (NewSystem("a"), NewSystem("b"));

    public async ValueTask DisposeAsync() => await Task.WhenAll(_a.Terminate(), _b.Terminate());

    [Fact]
    public async Task Both_are_heard_again_whatever_became_of_the_second_connection()
    {
        var (toA, toB) = (LinkTo("a", _b), LinkTo("b", _a));
        _a.ActorOf(Props.Create(() => new Receiver(_answers.Writer)), "node");
        _b.ActorOf(Props.Create(() => new Echo(toA)), "node");
        Assert.True(await IsAnsweredAsync(toB, Patience));

        for (var round = 0; round < 5; round++)
        {
            await BreakSecondConnectionAsync();
            // The answer that was on its way may be lost; the ones after it must not.
            var deadline = DateTime.UtcNow + Patience;
            var inARow = 0;
            while ((inARow = await IsAnsweredAsync(toB, TimeSpan.FromSeconds(1)) ? inARow + 1 : 0) < 20)
                Assert.True(DateTime.UtcNow < deadline, "the connection stayed deaf");
        }
    }

    /// <summary>Remoting as nodes have it, without cluster and journal.</summary>
    private ActorSystem NewSystem(string node)
    {
        var settings = _nodes.Settings(node);
        var config = ConfigurationFactory.ParseString("""
            akka.actor.provider = remote
            akka.persistence.journal.auto-start-journals = []
            """).WithFallback(AkkaConfig.Of(settings));
        return ActorSystem.Create(
            NodeSettings.SystemName,
            ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), new Door(settings)));
    }

    private IActorRef LinkTo(string node, ActorSystem from) =>
        new PeerLinks((ExtendedActorSystem)from, _nodes.Settings(node == "a" ? "b" : "a"))[new NodeId(node)];

    private static PeerEnvelope Message(string from, string to, long number) => new(
        new Header(new MemberId(new NodeId(from), Guid.Empty), new NodeId(to), default, 0),
        new Commit(new Epoch(1), new Uid(number)));

    /// <summary>Sends something over the link, and says whether the other node's answer came within the time.</summary>
    private async Task<bool> IsAnsweredAsync(IActorRef link, TimeSpan patience)
    {
        var number = ++_asked;
        link.Tell(Message("a", "b", number));
        using var limit = new CancellationTokenSource(patience);
        try
        {
            while (!Message("b", "a", number).Equals(await _answers.Reader.ReadAsync(limit.Token)))
            {
                // An answer to one before, which came late.
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task BreakSecondConnectionAsync()
    {
        using var connection = await BarePeer.GreetAsync(_nodes.Door("b"), _nodes["a"]);
        await connection.SendAsync(AkkaFrames.Associate(_nodes["b"], AddressUidExtension.Uid(_b)));
        Assert.NotNull(await connection.NextAsync());
    }

    private sealed class Echo(IActorRef back) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is PeerEnvelope { Message: Commit commit })
                back.Tell(Message("b", "a", commit.Committed.Value));
        }
    }

    private sealed class Receiver(ChannelWriter<object> answers) : UntypedActor
    {
        protected override void OnReceive(object message) => answers.TryWrite(message);
    }
}
