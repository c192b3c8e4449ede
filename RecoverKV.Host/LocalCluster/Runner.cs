using System.Globalization;
using RecoverKV.Actors.Output;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Grpc;
using Spectre.Console;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Runs a local cluster until it is interrupted: a process per node, and what a person sees of it.</summary>
internal sealed class Runner
{
    private const int NoticesShown = 6;
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Terminal _terminal;
    private readonly LocalClusterOptions _options;
    private readonly LocalNodes _cluster;
    private readonly ClusterWatch _watch;
    private readonly Lock _lock = new();
    private readonly Queue<string> _notices = [];
    private readonly LineQueue _lines;
    private bool _muted;

    private Runner(Terminal terminal, LocalClusterOptions options)
    {
        _terminal = terminal;
        _options = options;
        _cluster = new LocalNodes(options, Notice);
        _watch = new ClusterWatch(_cluster.Nodes, options.ClientTls, Notice, TellProcesses);
        _lines = new LineQueue(WriteLine);
    }

    /// <summary>Runs a local cluster; returns the exit code.</summary>
    public static async Task<int> RunAsync(Terminal terminal, LocalClusterOptions options)
    {
        var runner = new Runner(terminal, options);
        // A wrong setting is told at once, not by nodes that do not come up, and before anything is deleted.
        var nodes = runner._cluster.Nodes;
        var settings = NodeConfig.Of(NodeConfigFile.Text(nodes[0], nodes, options), options.Settings);
        using var folder = DataFolder.Open(options);
        await runner._cluster.CheckPortsAsync();
        await using var grpc = options.GrpcPort > 0 ? await runner.ServeGrpcAsync(settings.LongestWrite) : null;
        using var interrupt = new InterruptSource(runner._cluster.KillAll);
        await runner.RunAsync(grpc, interrupt.Token);
        return ExitCode.Done;
    }

    /// <summary>In this process and not in a node's: it stays whichever node dies.</summary>
    private Task<GrpcEndpoint> ServeGrpcAsync(int longestWrite) => GrpcEndpoint.StartAsync(new GrpcOptions
    {
        Host = "localhost",
        Port = _options.GrpcPort,
        PortSetting = "--grpc-port (0: none)",
        Contact = [.. _cluster.Nodes.Select(n => n.Address)],
        Servers = new ServerNames(_options.GrpcServers),
        Tls = _options.ClientTls,
        ChaosSecret = _options.ChaosSecret,
        LongestWrite = longestWrite,
        // As the original did: meanwhile the others go on without it.
        Stopping = node => _cluster.ProcessOf(node).PauseOnce(RestartPause),
        Notice = Notice,
    });

    private async Task RunAsync(GrpcEndpoint? grpc, CancellationToken interrupt)
    {
        var contact = string.Join(',', _cluster.Nodes.Select(n => n.Address));
        _lines.Add($"data in {Path.GetFullPath(_options.Data)}, contact {contact}");
        if (_options.ClientTls is { } tls)
            _lines.Add($"TLS, clients with --cacert {tls.Authority} --cert {tls.Certificate} --key {tls.Key}");
        var servers = string.Join(',', _options.GrpcServers.Select(s => s.Server));
        if (grpc is not null) _lines.Add($"gRPC on localhost:{_options.GrpcPort}, servers {servers}");
        _lines.Flush(LastWords);
        // A node that dies before it can be asked was not in service.
        foreach (var process in _cluster.Processes) process.Watched(0, answers: false, inService: false);
        var supervision = _cluster.RunAsync(interrupt);
        var watching = _watch.RunAsync(interrupt);
        var showing = _terminal.OutputIsTerminal
            ? Task.Run(() => ShowTableAsync(interrupt), CancellationToken.None)
            : ShowChangesAsync(interrupt);
        // Whatever becomes of the output: the nodes are what this is for.
        await Task.Delay(Timeout.Infinite, interrupt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAny(showing, Task.Delay(LastWords, CancellationToken.None));
        _lines.Add("stopping all nodes");
        if (grpc is not null) await grpc.DisposeAsync();
        await watching;
        await supervision;
        _lines.Add("all nodes have stopped");
        _lines.Flush(LastWords);
    }

    private async Task ShowChangesAsync(CancellationToken interrupt)
    {
        var log = new ChangeLog();
        while (await IntervalAsync(interrupt))
        {
            foreach (var line in log.Changes(Snapshot())) _lines.Add(line);
        }
    }

    private async Task ShowTableAsync(CancellationToken interrupt)
    {
        try
        {
            await AnsiConsole.Live(Draw()).StartAsync(async live =>
            {
                while (await IntervalAsync(interrupt)) live.UpdateTarget(Draw());
            });
        }
        catch (Exception e)
        {
            // The terminal may have been closed.
            _terminal.Error.WriteLine(
                $"{Failures.Prefix}the table cannot be shown, the nodes run on: {Failures.Describe(e)}");
        }
    }

    private void WriteLine(string line)
    {
        try
        {
            _terminal.Out.WriteLine(line);
        }
        catch (IOException e) when (!_muted)
        {
            _muted = true;
            _terminal.Error.WriteLine($"{Failures.Prefix}{Failures.Describe(e)}; the nodes run on");
        }
    }

    /// <summary>What the nodes say of themselves decides how soon their processes are started again.</summary>
    private void TellProcesses()
    {
        foreach (var (process, node) in _cluster.Processes.Zip(Snapshot()))
            process.Watched(node.Pid, node.Status is not null, node.Mode is NodeMode.Alive or NodeMode.Ready);
    }

    private Spectre.Console.Rendering.IRenderable Draw() => LiveTable.Draw(
        Snapshot(), Notices(), "Ctrl-C stops all nodes. In another terminal: recoverkv put KEY VALUE, get KEY, status");

    /// <summary>Waits for the next refresh; false once interrupted.</summary>
    private static async Task<bool> IntervalAsync(CancellationToken interrupt)
    {
        await Task.Delay(RefreshInterval, interrupt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !interrupt.IsCancellationRequested;
    }

    private IReadOnlyList<NodeSnapshot> Snapshot()
    {
        var said = _watch.Latest;
        return [.. _cluster.Nodes.Zip(
            _cluster.Processes, (n, p) => NodeSnapshot.Of(n, p, said.GetValueOrDefault(n.Id)))];
    }

    private IReadOnlyList<string> Notices()
    {
        lock (_lock) return [.. _notices];
    }

    private void Notice(string text)
    {
        if (!_terminal.OutputIsTerminal)
        {
            _lines.Add(text);
            return;
        }

        lock (_lock)
        {
            if (_notices.Count == NoticesShown) _notices.Dequeue();
            _notices.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {text}"));
        }
    }
}
