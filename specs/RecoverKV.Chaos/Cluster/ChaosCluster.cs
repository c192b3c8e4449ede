using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RecoverKV.Chaos.Load;
using RecoverKV.Chaos.Network;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos.Cluster;

/// <summary>The nodes of a run, and who watches them.</summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    private readonly Dictionary<long, (string Node, long Digest)> _digests = [];
    private readonly Lock _lock = new();
    private Process? _watch;
    private volatile string? _watchError;
    private Task _watching = Task.CompletedTask;
    private volatile string? _foreign;
    private volatile Sample _last = new(0, []);
    private readonly string _settings;

    private ChaosCluster(
        IChaosNetwork network, Disks disks, Preloads preloads, ChaosTls? tls, List<ChaosNode> nodes, string settings) =>
        (Network, Disks, Preloads, Tls, Nodes, _settings) = (network, disks, preloads, tls, nodes, settings);

    public IChaosNetwork Network { get; }

    public Disks Disks { get; }

    public Preloads Preloads { get; }

    /// <summary>Null: connections are not encrypted.</summary>
    public ChaosTls? Tls { get; }

    public IReadOnlyList<ChaosNode> Nodes { get; }

    /// <summary>The name of a node that has the data of another store, which is held against nobody's.</summary>
    public string? Foreign
    {
        get => _foreign;
        set => _foreign = value;
    }

    /// <summary>What the nodes said last.</summary>
    public Sample Last => _last;

    /// <summary>Two replicas at the same uid whose data differ.</summary>
    public List<string> Differences { get; } = [];

    /// <summary>How often two replicas were compared at the same uid.</summary>
    public long Compared { get; private set; }

    public string[] Contacts =>
        [.. Nodes.Select(n => string.Create(
            CultureInfo.InvariantCulture, $"{Network.Host(n.Number)}:{Network.Port(n.Number)}"))];

    /// <summary>Starts the nodes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="folder">Gets a folder for each.</param>
    /// <param name="network">Where they run.</param>
    /// <param name="preloads">What their processes are started with.</param>
    /// <param name="tls">Whether connections are encrypted.</param>
    /// <param name="settings">Further lines of each one's configuration.</param>
    public static async Task<ChaosCluster> StartAsync(
        int count, string folder, IChaosNetwork network, Preloads preloads, bool tls, string settings = "")
    {
        var folders = Enumerable.Range(1, count).Select(n => Path.Combine(folder, $"node{n}")).ToList();
        var disks = await Disks.CreateAsync(folders);
        var certificates = tls ? new ChaosTls(folder, network, count) : null;
        var cluster = new ChaosCluster(
            network, disks, preloads, certificates,
            [.. folders.Select((f, i) => new ChaosNode(i + 1, f, network, preloads))], settings);
        foreach (var node in cluster.Nodes)
        {
            File.WriteAllText(node.ConfigFile, cluster.ConfigOf(node));
            node.Start();
        }

        cluster.Watch();
        return cluster;
    }

    /// <summary>Waits for a state that a sample shows which was taken from now on.</summary>
    /// <returns>The sample; null if there was none within the time.</returns>
    public async Task<Sample?> WaitAsync(
        Func<Sample, bool> state, TimeSpan patience, CancellationToken cancellation = default)
    {
        var from = MonotonicClock.Now;
        for (var clock = Stopwatch.StartNew();
            clock.Elapsed < patience && !cancellation.IsCancellationRequested;
            await Task.Delay(20, CancellationToken.None))
        {
            if (_watching.IsCompleted) throw new ChaosException($"the process that watches has ended: {_watchError}");
            if (Last is { } sample && sample.At >= from && state(sample)) return sample;
            if (Nodes.Any(n => n.OwnExit is not null)) return null;
        }

        return null;
    }

    /// <summary>All are ALIVE, in the runs that we started.</summary>
    public bool IsWell(Sample sample) => sample.Nodes.Length == Nodes.Count
        && Nodes.All(n => n.IsRunning && sample.Nodes.Single(s => s.Node == n.Name) is { Mode: NodeMode.Alive });

    /// <summary>The sequencer, as far as known.</summary>
    public ChaosNode? Sequencer => Nodes.FirstOrDefault(n => Last.Nodes.Any(s => s.Node == n.Name && s.IsSequencer));

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null)
        {
            _watch.StandardInput.Close();
            await _watch.WaitForExitAsync();
            await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _watch.Dispose();
        }

        foreach (var node in Nodes)
        {
            await node.KillAsync();
            node.Dispose();
        }

        await Disks.DisposeAsync();
    }

    private string ConfigOf(ChaosNode node)
    {
        var members = string.Join(", ", Nodes.Select(n => string.Create(
            CultureInfo.InvariantCulture, $"\"{n.Name}@{Network.Host(n.Number)}:{Network.Port(n.Number)}\"")));
        return $$"""
            recoverkv {
              node = {{node.Name}}
              members = [{{members}}]
              data = "{{node.Folder}}/data"
              {{(Tls is null ? "secret = \"of the cluster under chaos\"" : "")}}
              {{TlsOf(node)}}
              chaos = on
              {{_settings}}
            }

            """;
    }

    /// <summary>The settings of TLS.</summary>
    public string TlsOf(ChaosNode node) => Tls?.Hocon(node.Name) ?? "tls.mode = off";

    private void Watch()
    {
        _watch = Process.Start(Commands.Of(Network.AtClients(
            Commands.Program("recoverkv-chaos", "watch", "--contact", string.Join(',', Contacts)))))!;
        _watch.ErrorDataReceived += (_, line) => _watchError = line.Data ?? _watchError;
        _watch.BeginErrorReadLine();
        _watching = ReadAsync(_watch.StandardOutput);
    }

    private async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            var sample = JsonSerializer.Deserialize<Sample>(line)!;
            foreach (var node in sample.Nodes.Where(n => n.Applied > 0 && n.Node != Foreign)) Compare(node);
            _last = sample;
        }
    }

    private void Compare(NodeSample node)
    {
        lock (_lock)
        {
            if (!_digests.TryGetValue(node.Applied, out var other)) _digests[node.Applied] = (node.Node, node.Digest);
            else if (other.Digest != node.Digest)
                Differences.Add($"{node.Node} and {other.Node} differ at uid {node.Applied}: "
                    + $"{node.Digest:x16}, {other.Digest:x16}");
            else if (other.Node != node.Node) Compared++;
        }
    }
}
