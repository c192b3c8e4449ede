using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Speaks the contract to the gateway of one particular node. No answer in time is null.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    /// <summary>What clients are called in <see cref="MemoryLogger"/>.</summary>
    public const string Log = "client";

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(1);
    private readonly ActorSystem _system;
    private long _lastId;

    private TestClient(ActorSystem system) => _system = system;

    public int Port => ((ExtendedActorSystem)_system).Provider.DefaultAddress.Port!.Value;

    public static TestClient Start(
        string serializer = "RecoverKV.Client.Contracts.ClientSerializer, RecoverKV.Client", int port = 0) =>
        new(ActorSystem.Create("client", ConfigurationFactory.ParseString($$"""
            akka {
              actor {
                provider = remote
                serializers.client = "{{serializer}}"
                serialization-bindings {
                  "RecoverKV.Client.Contracts.IClientMessage, RecoverKV.Client" = client
                }
              }
              remote {
                retry-gate-closed-for = 50ms
                # The throttler may keep to itself that the other side closed the connection.
                transport-failure-detector {
                  heartbeat-interval = 300ms
                  acceptable-heartbeat-pause = 2s
                }
                dot-netty.tcp {
                  hostname = "127.0.0.1"
                  port = {{port.ToString(CultureInfo.InvariantCulture)}}
                  maximum-frame-size = {{ClientLimits.FrameBytes.ToString(CultureInfo.InvariantCulture)}}b
                }
              }
              loglevel = INFO
              log-dead-letters = off
              log-dead-letters-during-shutdown = off
            }
            """).WithFallback(ConfigurationFactory.ParseString(Links.Hocon))
            .WithFallback(ConfigurationFactory.ParseString(MemoryLogger.Hocon(Log)))));

    public Task<NodeStatus?> StatusAsync(TestNode node) => AskAsync<NodeStatus>(node, new NodeStatusRequest(NextId()));

    public async Task<(WriteAnswer Answer, ClusterView? View)?> WriteAsync(
        TestNode node, WriteRequest request, TimeSpan? limit = null)
    {
        var replies = await AskAsync<WriteReplies>(node, new WriteBatch([request]), limit);
        return replies is null ? null : (Assert.Single(replies.Answers), replies.View);
    }

    public async Task<ReadAnswer?> ReadAsync(TestNode node, ReadConsistency consistency, params Key[] keys)
    {
        var replies = await AskAsync<ReadReplies>(node, new ReadBatch(consistency, [new Read(NextId(), keys)]));
        return replies is null ? null : Assert.Single(replies.Answers);
    }

    public Task<ScanReply?> ScanAsync(TestNode node, ReadOnlyMemory<byte> cursor, int maxItems) => AskAsync<ScanReply>(
        node, new ScanRequest(NextId(), ReadConsistency.Linearizable, cursor, maxItems), TestCluster.Patience);

    public async Task<T?> AskAsync<T>(TestNode node, object message, TimeSpan? limit = null) where T : class
    {
        var gateway = ((ExtendedActorSystem)_system).Provider.ResolveActorRef(string.Create(
            CultureInfo.InvariantCulture, $"{Links.Protocol}://recoverkv@{node.Host}:{node.Port}/user/gateway"));
        try
        {
            return await gateway.Ask<T>(message, limit ?? AnswerLimit);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    public long NextId() => Interlocked.Increment(ref _lastId);

    public async ValueTask DisposeAsync() => await _system.Terminate();
}
