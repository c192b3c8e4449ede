using System.Globalization;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Bench.Cluster;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Host.Bench;

/// <summary>One run of a benchmark: the cluster that it measures, a client, and what it has found up to now.</summary>
internal sealed class BenchSession : IAsyncDisposable
{
    private readonly Terminal _terminal;
    private readonly BenchSettings _settings;
    private readonly DateTimeOffset _date = DateTimeOffset.Now;
    private readonly Machine _machine = ThisMachine.Describe();
    private readonly List<OperationReport> _operations = [];

    private BenchSession(
        Terminal terminal, BenchSettings settings, OwnCluster? cluster,
        RecoverKvClient client, CancellationToken interrupt)
    {
        (_terminal, _settings, Cluster, Client, Interrupt) = (terminal, settings, cluster, client, interrupt);
        Contact = cluster?.Contact ?? settings.Contact!;
        Tls = cluster is null ? settings.Tls : cluster.Tls;
    }

    /// <summary>The cluster, if the benchmark started it.</summary>
    public OwnCluster? Cluster { get; }

    /// <summary>The nodes to ask first.</summary>
    public IReadOnlyList<string> Contact { get; }

    /// <summary>How the nodes are reached; null: without TLS.</summary>
    public TlsOptions? Tls { get; }

    /// <summary>A client.</summary>
    public RecoverKvClient Client { get; }

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken Interrupt { get; }

    /// <summary>The time of a call.</summary>
    public double TimeoutSeconds => _settings.TimeoutSeconds;

    /// <summary>How long to warm up.</summary>
    public double WarmUpSeconds => _settings.WarmUpSeconds;

    /// <summary>Names this run in its values.</summary>
    public long Run { get; } = Random.Shared.NextInt64();

    /// <summary>What the benchmark was told beyond what all are told; for the report.</summary>
    public Dictionary<string, string> Parameters { get; } = [];

    /// <summary>What a kill did.</summary>
    public KillReport? Kill { get; set; }

    /// <summary>How nodes came back.</summary>
    public IReadOnlyList<RecoveryReport> Recoveries { get; set; } = [];

    /// <summary>Runs a benchmark and gives out its report; the exit code.</summary>
    public static async Task<int> RunAsync(
        string name, Terminal terminal, BenchSettings settings, Func<BenchSession, Task<CheckResult>> bench)
    {
        using var interrupt = new InterruptSource();
        var cluster = settings.Contact is null
            ? await OwnCluster.StartAsync(settings.Data, settings.NodeSettings, settings.WithTls)
            : null;
        try
        {
            await using var session = await OpenAsync(terminal, settings, cluster, interrupt.Token);
            var check = await bench(session);
            var report = session.Report(name, check);
            return ReportOutput.Write(terminal, report, settings.Json, settings.Html);
        }
        finally
        {
            if (cluster is not null) await cluster.DisposeAsync();
        }
    }

    /// <summary>Tells a waiting person what happens.</summary>
    public void Say(string text)
    {
        if (_terminal.ErrorIsTerminal) _terminal.Error.WriteLine(text);
    }

    /// <summary>Runs something and notes what it found, with the processor time that all processes took for
    /// it.</summary>
    /// <param name="load">What to run; the figures of each kind of its operations.</param>
    /// <param name="workers">Further client processes.</param>
    public async Task<IReadOnlyList<Figures>> MeasureAsync(
        Func<Task<IReadOnlyList<Figures>>> load, IReadOnlyList<int>? workers = null)
    {
        var before = Cpu(workers);
        var figures = await load();
        var cpu = Cpu(workers) - before;
        if (figures.Count == 1)
        {
            _operations.Add(OperationReport.Of(figures[0], cpu));
            return figures;
        }

        foreach (var kind in figures) _operations.Add(OperationReport.Of(kind));
        _operations.Add(OperationReport.Of(Figures.Merge("all", figures), cpu, isTotal: true));
        return figures;
    }

    /// <summary>A node that a benchmark may kill: the sequencer, or one that follows.</summary>
    public async Task<NodeStatus> VictimAsync(bool sequencer)
    {
        while (true)
        {
            var nodes = (await Client.GetStatusAsync(Interrupt)).Nodes;
            if (nodes.All(n => n.Mode == NodeMode.Alive)
                && nodes.FirstOrDefault(n => n.IsSequencer == sequencer) is { } node)
                return node;
            await Task.Delay(50, Interrupt);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Client.DisposeAsync();

    private static async Task<BenchSession> OpenAsync(
        Terminal terminal, BenchSettings settings, OwnCluster? cluster, CancellationToken interrupt)
    {
        var options = new RecoverKvClientOptions
        {
            Deadline = TimeSpan.FromSeconds(settings.TimeoutSeconds),
            ConnectTimeout = TimeSpan.FromSeconds(cluster is null ? settings.TimeoutSeconds : 60),
            Tls = cluster is null ? settings.Tls : cluster.Tls,
        };
        RecoverKvClient client;
        try
        {
            client = await RecoverKvClient.ConnectAsync(cluster?.Contact ?? settings.Contact!, options, interrupt);
        }
        catch (NotDoneException) when (cluster?.LastError is { } error)
        {
            throw new CommandFailedException($"the nodes did not get ready: {error}");
        }

        var session = new BenchSession(terminal, settings, cluster, client, interrupt);
        try
        {
            session.Say(cluster is null ? "connected" : "started three nodes");
            if (cluster is not null) await cluster.ReadyAsync(client, interrupt);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    // Of this process, the other clients and the nodes; null if the nodes are not its own.
    private TimeSpan? Cpu(IReadOnlyList<int>? workers)
    {
        if (Cluster is null) return null;
        var cpu = Cluster.Cpu + ProcessUsage.Cpu(Environment.ProcessId);
        foreach (var pid in workers ?? []) cpu += ProcessUsage.Cpu(pid);
        return cpu;
    }

    private Report Report(string name, CheckResult check)
    {
        var parameters = new Dictionary<string, string>(Parameters)
        {
            ["warm-up"] = _settings.WarmUpSeconds == 0
                ? "none"
                : string.Create(CultureInfo.InvariantCulture, $"{_settings.WarmUpSeconds:0.##} s"),
            ["cluster"] = Cluster is null
                ? $"given: {string.Join(", ", Contact)}"
                : $"{Cluster.Nodes.Count} node processes on this machine",
        };
        if (Cluster is not null)
        {
            parameters["durability"] = _settings.Durability ?? "full";
            parameters["TLS"] = Tls is null ? "off" : "on";
            parameters["file system"] = Cluster.FileSystem;
            foreach (var setting in _settings.NodeSettings)
            {
                var equals = setting.IndexOf('=', StringComparison.Ordinal);
                if (!setting.StartsWith("recoverkv.durability=", StringComparison.Ordinal)
                    || _settings.Durability is null)
                    parameters[setting[..equals]] = setting[(equals + 1)..];
            }
        }

        return new Report
        {
            Bench = name,
            Version = ThisMachine.Version,
            Date = _date,
            CommandLine = _settings.CommandLine,
            Machine = _machine,
            Parameters = parameters,
            Operations = _operations,
            Nodes = Cluster is null
                ? []
                : [.. Cluster.Nodes.Select(n => new NodeReport(
                    n.Id, ProcessUsage.ResidentBytes(Cluster.PidOf(n.Id)), Cluster.DataBytes(n.Id)))],
            Check = check,
            Kill = Kill,
            Recoveries = Recoveries,
        };
    }
}
