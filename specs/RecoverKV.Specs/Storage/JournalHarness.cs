using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Specs.Storage;

/// <summary>A node's actor system, with its full configuration, and a persistent actor that writes facts as a replica
/// does.</summary>
internal sealed class JournalHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly NodeId Node = new("node1");
    private readonly ActorSystem _system;
    private readonly IActorRef _writer;
    private readonly TaskCompletionSource<IReadOnlyList<Fact>> _recovered = NewSource<IReadOnlyList<Fact>>();
    private readonly TaskCompletionSource<Exception> _persistFailure = NewSource<Exception>();
    private readonly Channel<string?> _troubles = Channel.CreateUnbounded<string?>();

    private JournalHarness(string path, Durability durability, string pragmas, Type? plugin)
    {
        Folder = DataFolder.Open(path, Node);
        var settings = Settings(path, durability);
        var config = AkkaConfig.Of(settings);
        if (plugin != null)
            config = ConfigurationFactory.ParseString(
                $"{AkkaConfig.JournalPlugin}.class = \"{plugin.FullName}, {plugin.Assembly.GetName().Name}\"")
                .WithFallback(config);
        _system = ActorSystem.Create(NodeSettings.SystemName, ActorSystemSetup.Create(
            [
                BootstrapSetup.Create().WithConfig(config), new Door(settings),
                .. JournalFile.Setups(Folder.Journal, durability, pragmas)
            ]));
        _writer = _system.ActorOf(Props.Create(() => new Writer(this)));
    }

    public DataFolder Folder { get; }

    /// <summary>What was replayed; fails with what the recovery failed with.</summary>
    public Task<IReadOnlyList<Fact>> Recovered => _recovered.Task.WaitAsync(Patience);

    /// <summary>Ends with the cause when a fact could not be written.</summary>
    public Task<Exception> PersistFailure => _persistFailure.Task.WaitAsync(Patience);

    /// <summary>The next word of the journal about whether it waits for the disk.</summary>
    public Task<string?> NextTroubleAsync() => _troubles.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <param name="path">The data folder.</param>
    /// <param name="durability">What a commit waits for.</param>
    /// <param name="pragmas">Further PRAGMAs of the connections.</param>
    /// <param name="plugin">Another journal than the node's own.</param>
    public static JournalHarness Start(
        string path, Durability durability = Durability.Full, string pragmas = "", Type? plugin = null) =>
        new(path, durability, pragmas, plugin);

    /// <summary>Runs a node, lets it write, and stops it.</summary>
    public static async Task WriteAsync(string path, params Fact[] facts)
    {
        await using var node = Start(path);
        await node.PersistAsync(facts);
    }

    public static NodeSettings Settings(string path, Durability durability = Durability.Full) =>
        NodeSettings.Load(ConfigurationFactory.ParseString($$"""
            recoverkv {
              node = {{Node}}
              members = ["{{Node}}@127.0.0.1:{{FreePort()}}"]
              data = "{{path}}"
              durability = {{(durability == Durability.Full ? "full" : "os")}}
              log-level = OFF
            }
            """));

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static EntriesAppended Entries(long first, int count, int valueLength = 10)
    {
        var value = new byte[valueLength];
        new Random((int)first).NextBytes(value);
        return new EntriesAppended(
            new Batch(new Epoch(3), new Uid(first), [.. Enumerable.Range(0, count).Select(i =>
                WriteRequestCodec.Create(1, first + i, 0, [new(OperationKind.Put, $"key{first + i}", value)]))]),
            new Uid(first - 1));
    }

    /// <summary>Persists the facts, all in flight at once; ends when all are durable.</summary>
    public Task PersistAsync(params Fact[] facts) =>
        Task.WhenAll(facts.Select(fact => _writer.Ask<Done>(fact, Patience)));

    /// <summary>Has the plugin delete the facts up to this number, which no replica does.</summary>
    public Task DeleteAsync(long last) => _writer.Ask<DeleteMessagesSuccess>(new Deletion(last), Patience);

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        Folder.Dispose();
    }

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Done
    {
        public static readonly Done Instance = new();
    }

    private sealed record Deletion(long Last);

    private sealed class Writer : ReceivePersistentActor
    {
        private readonly JournalHarness _harness;

        public Writer(JournalHarness harness)
        {
            _harness = harness;
            var replayed = new List<Fact>();
            Recover<Fact>(replayed.Add);
            Recover<RecoveryCompleted>(_ => harness._recovered.TrySetResult(replayed));
            Command<Fact>(fact =>
            {
                var asker = Sender;
                PersistAsync(fact, _ => asker.Tell(Done.Instance));
            });
            Command<JournalTrouble>(trouble => harness._troubles.Writer.TryWrite(trouble.What));
            IActorRef? deleter = null;
            Command<Deletion>(deletion =>
            {
                deleter = Sender;
                DeleteMessages(deletion.Last);
            });
            Command<DeleteMessagesSuccess>(done => deleter!.Tell(done));
        }

        public override string PersistenceId => _harness.Folder.PersistenceId;

        protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
            _harness._recovered.TrySetException(reason);

        protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
            _harness._persistFailure.TrySetResult(cause);
    }
}
