using System.Globalization;
using System.Text;
using Akka.Configuration;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>
/// Nodes as in production, in one process: own actor systems on loopback, own data folders. Their links can be cut.
/// Leases are shorter than by default, so that specs are fast; none depends on how long they are.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>How long any wait may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(30);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("recoverkv-spec-");
    private readonly HashSet<(TestNode From, TestNode To)> _cut = [];

    private TestCluster(int count, string settings, bool tls)
    {
        var ports = Enumerable.Range(1, count).Select(i => (Name: $"n{i}", Port: Ports.Next())).ToArray();
        var members = string.Join(", ", ports.Select(p => $"\"{p.Name}@127.0.0.1:{p.Port}\""));
        if (tls) Tls = new TestTls(Path.Combine(_folder.FullName, "tls"), ports.Select(p => p.Name));
        Client = new TestClient(Tls?.Client);
        Nodes = [.. ports.Select(p =>
        {
            var data = Path.Combine(_folder.FullName, p.Name);
            return new TestNode(
                p.Name, p.Port, data, Config(p.Name, p.Port, members, data, $"{settings}\n{Tls?.Hocon(p.Name)}"));
        })];
    }

    public IReadOnlyList<TestNode> Nodes { get; }

    /// <summary>Null: its connections are not encrypted.</summary>
    public TestTls? Tls { get; }

    public TestClient Client { get; }

    public Ledger Ledger { get; } = new();

    public TestNode this[string? name] => Nodes.First(n => n.Name == name);

    /// <summary>Starts nodes n1, n2... and waits until all are ALIVE.</summary>
    public static async Task<TestCluster> StartAsync(int count, string settings = "", bool? tls = null)
    {
        var cluster = new TestCluster(count, settings, tls ?? TestTls.IsDefault);
        try
        {
            await Task.WhenAll(cluster.Nodes.Select(cluster.StartAsync));
            await cluster.WaitUntilHealedAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    // ---- Nodes

    /// <summary>Starts a node that is down; cut links stay cut.</summary>
    public async Task StartAsync(TestNode node)
    {
        await node.StartAsync();
        foreach (var (from, to) in _cut.Where(l => l.From == node)) await Links.SetAsync(from, to, open: false);
    }

    /// <summary>The node that leads, as it says itself and all running nodes agree.</summary>
    public async Task<TestNode> SequencerAsync()
    {
        var statuses = await WaitUntilAsync("all follow one sequencer", s => OneSequencer(s) != null);
        return this[OneSequencer(statuses)];
    }

    private string? OneSequencer(Statuses s) =>
        s.Count == Nodes.Count(n => n.IsRunning) && s.Values.Select(n => (n.Epoch, n.Sequencer)).Distinct().Count() == 1
            && s.Values.SingleOrDefault(n => n.IsSequencer) is { } sequencer && sequencer.Node == sequencer.Sequencer
            ? sequencer.Node
            : null;

    // ---- Links

    /// <summary>From now on nothing that these nodes send reaches those.</summary>
    public async Task CutOneWayAsync(IEnumerable<TestNode> from, IEnumerable<TestNode> to)
    {
        var targets = to.ToArray();
        foreach (var link in from.SelectMany(f => targets.Where(t => t != f).Select(t => (f, t))))
        {
            if (_cut.Add(link)) await Links.SetAsync(link.f, link.t, open: false);
        }
    }

    /// <summary>From now on nothing passes between the one and the other.</summary>
    public async Task CutAsync(IReadOnlyCollection<TestNode> some, IReadOnlyCollection<TestNode> others)
    {
        await CutOneWayAsync(some, others);
        await CutOneWayAsync(others, some);
    }

    /// <summary>Cuts a node from all others.</summary>
    public Task IsolateAsync(TestNode node) => CutAsync([node], [.. Nodes.Where(n => n != node)]);

    /// <summary>Restores all links.</summary>
    public async Task HealAsync()
    {
        foreach (var (from, to) in _cut.Where(l => l.From.IsRunning)) await Links.SetAsync(from, to, open: true);
        _cut.Clear();
    }

    // ---- States

    /// <summary>What each node that runs says of itself.</summary>
    public async Task<Statuses> StatusesAsync()
    {
        var statuses = await Task.WhenAll(Nodes.Where(n => n.IsRunning).Select(Client.StatusAsync));
        return new Statuses(statuses.OfType<NodeStatus>().ToDictionary(s => s.Node));
    }

    /// <summary>Waits for a state; fails with what every node says if it does not come.</summary>
    public async Task<Statuses> WaitUntilAsync(string what, Func<Statuses, bool> condition)
    {
        var patience = new Deadline();
        while (!patience.IsOver)
        {
            var statuses = await StatusesAsync();
            if (condition(statuses)) return statuses;
            if (Nodes.FirstOrDefault(n => n.EndedBy != null) is { } ended)
                throw await FailureAsync(
                    $"{ended.Name} ended of its own accord ({ended.EndedBy}), while {what} was waited for");
            await Task.Delay(PollInterval);
        }

        throw await FailureAsync($"{what}: did not come about");
    }

    /// <summary>Waits until all running nodes are ALIVE in one view and have the same committed writes, with none
    /// under way.</summary>
    public Task<Statuses> WaitUntilHealedAsync() => WaitUntilAsync("all nodes are ALIVE and equal", s =>
        OneSequencer(s) != null
        && s.Values.All(n => n.Mode == NodeMode.Alive && n.Gap == 0 && n.Uid == n.AppliedUid)
        && s.Values.Select(n => n.Uid).Distinct().Count() == 1);

    /// <summary>Waits until all are ALIVE; then all have the same writes, those that the ledger knows.</summary>
    public async Task AssertAllEqualAsync()
    {
        var patience = new Deadline();
        while (!patience.IsOver)
        {
            var before = await WaitUntilHealedAsync();
            var dumps = new List<(string Node, Dictionary<Key, Version>? State)>();
            foreach (var node in Nodes.Where(n => n.IsRunning)) dumps.Add((node.Name, await DumpAsync(node)));
            var after = await WaitUntilHealedAsync();
            // A late copy of a write may still have come to the sequencer.
            if (dumps.Exists(d => d.State == null) || before.Values.First().Uid != after.Values.First().Uid) continue;
            foreach (var (node, state) in dumps)
            {
                Ledger.AssertIs(state!, node);
                Assert.Equal(Versions(dumps[0].State!), Versions(state!));
            }

            return;
        }

        throw await FailureAsync("all nodes have the same writes: did not come about");
    }

    private static List<(string, long)> Versions(Dictionary<Key, Version> state) =>
        [.. state.Select(v => (v.Key.ToString(), v.Value.Uid)).Order()];

    /// <summary>All keys of a node by a linearizable scan; null if it may not answer.</summary>
    public async Task<Dictionary<Key, Version>?> DumpAsync(TestNode node, int pageSize = 4096)
    {
        var state = new Dictionary<Key, Version>();
        ReadOnlyMemory<byte> cursor = default;
        do
        {
            var page = await Client.ScanAsync(node, cursor, pageSize);
            if (page is not { Status: ReadStatus.Done }) return null;
            foreach (var item in page.Items)
                Assert.True(state.TryAdd(item.Key, item.Version), $"{node.Name}'s scan has {item.Key} twice");
            cursor = page.Next;
        }
        while (!cursor.IsEmpty);

        return state;
    }

    /// <summary>A linearizable read; waits while the node may not answer.</summary>
    public async Task<IReadOnlyList<Version?>> ReadAsync(TestNode node, params Key[] keys) =>
        (await ReadAsync(node, ReadConsistency.Linearizable, keys)).Versions;

    /// <summary>A read of any consistency; waits while the node may not answer.</summary>
    public async Task<ReadAnswer> ReadAsync(TestNode node, ReadConsistency consistency, params Key[] keys)
    {
        var patience = new Deadline();
        while (!patience.IsOver)
        {
            var answer = await Client.ReadAsync(node, consistency, keys);
            if (answer?.Status == ReadStatus.Done) return answer;
            await Task.Delay(PollInterval);
        }

        throw await FailureAsync($"{node.Name} answers a read: did not come about");
    }

    /// <summary>The exception of a spec that cannot go on: what every node says, and its log.</summary>
    public async Task<Exception> FailureAsync(string what)
    {
        var statuses = await StatusesAsync();
        var text = new StringBuilder(what).AppendLine();
        foreach (var node in Nodes)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"---- {node.Name} {(node.IsRunning ? statuses.Describe(node.Name) : "is down")}");
            if (node.EndedBy is { } ended) text.AppendLine(ended);
            foreach (var line in MemoryLogger.Lines(node.Log)) text.AppendLine(line);
        }

        if (_cut.Count > 0)
            text.AppendLine("cut: " + string.Join(' ', _cut.Select(l => $"{l.From.Name}>{l.To.Name}").Order()));
        return new Xunit.Sdk.XunitException(text.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Nodes.Select(n => n.CrashAsync()));
        _folder.Delete(recursive: true);
    }

    private static Config Config(string node, int port, string members, string data, string settings)
    {
        var seeds = members.Split(", ").Select(m => $"\"{Links.Protocol}://recoverkv@{m.Trim('"').Split('@')[1]}\"");
        var config = ConfigurationFactory.ParseString($$"""
            recoverkv {
              node = {{node}}
              members = [{{members}}]
              data = "{{data}}"
              secret = "by which these nodes know each other"
              log-level = INFO
              lease = 600ms
              heartbeat-interval = 60ms
              silence-limit = 600ms
              election-rank-delay = 60ms
              election-jitter = 60ms
              campaign-timeout = 600ms
              resend-interval = 100ms
            }
            # A crash does not wait for messages to go out.
            akka.remote.flush-wait-on-shutdown = 50ms
            akka.cluster.seed-nodes = [{{string.Join(", ", seeds)}}]
            """);
        return ConfigurationFactory.ParseString(settings).WithFallback(config)
            .WithFallback(ConfigurationFactory.ParseString(
                MemoryLogger.Hocon(string.Create(CultureInfo.InvariantCulture, $"{node}@{port}"))))
            .WithFallback(ConfigurationFactory.ParseString(Links.Hocon));
    }
}
