using System.Globalization;
using RecoverKV.Host.Grpc;
using Spectre.Console;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Runs a local cluster until it is interrupted: a process per node, and what a person sees of it.</summary>
internal sealed class Runner
{
    private const int NoticesShown = 6;
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    private readonly Terminal _terminal;
    private readonly LocalClusterOptions _options;
    private readonly LocalNodes _cluster;
    private readonly ClusterWatch _watch;
    private readonly Lock _lock = new();
    private readonly Queue<string> _notices = [];

    private Runner(Terminal terminal, LocalClusterOptions options)
    {
        _terminal = terminal;
        _options = options;
        _cluster = new LocalNodes(options, Notice);
        _watch = new ClusterWatch(_cluster.Nodes, Notice);
    }

    /// <summary>Runs a local cluster; returns the exit code.</summary>
    public static async Task<int> RunAsync(Terminal terminal, LocalClusterOptions options)
    {
        var runner = new Runner(terminal, options);
        using var folder = DataFolder.Open(options);
        await runner._cluster.CheckPortsAsync();
        await using var grpc = options.GrpcPort > 0 ? await runner.ServeGrpcAsync() : null;
        using var interrupt = new InterruptSource(runner._cluster.KillAll);
        await runner.RunAsync(grpc, interrupt.Token);
        return ExitCode.Done;
    }

    /// <summary>In this process and not in a node's: it stays whichever node dies.</summary>
    private Task<GrpcEndpoint> ServeGrpcAsync() => GrpcEndpoint.StartAsync(new GrpcOptions
    {
        Host = "localhost",
        Port = _options.GrpcPort,
        PortSetting = "--grpc-port (0: none)",
        Contact = [.. _cluster.Nodes.Select(n => n.Address)],
        Servers = new ServerNames(_options.GrpcServers),
        ChaosSecret = _options.ChaosSecret,
        // As the original did: meanwhile the others go on without it.
        Stopping = node => _cluster.ProcessOf(node).PauseOnce(RestartPause),
        Notice = Notice,
    });

    private async Task RunAsync(GrpcEndpoint? grpc, CancellationToken interrupt)
    {
        var contact = string.Join(',', _cluster.Nodes.Select(n => n.Address));
        _terminal.Out.WriteLine($"data in {Path.GetFullPath(_options.Data)}, contact {contact}");
        if (grpc is not null) _terminal.Out.WriteLine($"gRPC on localhost:{_options.GrpcPort}, servers {string.Join(',', _options.GrpcServers.Select(s => s.Server))}");
        var supervision = _cluster.RunAsync(interrupt);
        var watching = _watch.RunAsync(interrupt);
        if (_terminal.OutputIsTerminal) await ShowTableAsync(interrupt);
        else await ShowChangesAsync(interrupt);
        _terminal.Out.WriteLine("stopping all nodes");
        if (grpc is not null) await grpc.DisposeAsync();
        await watching;
        await supervision;
        _terminal.Out.WriteLine("all nodes have stopped");
    }

    private async Task ShowChangesAsync(CancellationToken interrupt)
    {
        var log = new ChangeLog();
        while (await IntervalAsync(interrupt))
        {
            var lines = log.Changes(Snapshot());
            lock (_lock)
            {
                foreach (var line in lines) _terminal.Out.WriteLine(line);
            }
        }
    }

    private async Task ShowTableAsync(CancellationToken interrupt) =>
        await AnsiConsole.Live(Draw()).StartAsync(async live =>
        {
            while (await IntervalAsync(interrupt)) live.UpdateTarget(Draw());
        });

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
        return [.. _cluster.Nodes.Zip(_cluster.Processes, (n, p) => NodeSnapshot.Of(n, p, said.GetValueOrDefault(n.Id)))];
    }

    private IReadOnlyList<string> Notices()
    {
        lock (_lock) return [.. _notices];
    }

    private void Notice(string text)
    {
        lock (_lock)
        {
            if (!_terminal.OutputIsTerminal)
            {
                _terminal.Out.WriteLine(text);
                return;
            }

            if (_notices.Count == NoticesShown) _notices.Dequeue();
            _notices.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {text}"));
        }
    }
}
