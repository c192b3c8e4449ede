using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Spectre.Console;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Runs a local cluster until it is interrupted: a process per node, and what a person sees of it.</summary>
internal sealed class Runner
{
    private const int NoticesShown = 6;
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(400);

    private readonly Terminal _terminal;
    private readonly LocalClusterOptions _options;
    private readonly IReadOnlyList<LocalNode> _nodes;
    private readonly IReadOnlyList<NodeProcess> _processes;
    private readonly Lock _lock = new();
    private readonly Queue<string> _notices = [];

    private Runner(Terminal terminal, LocalClusterOptions options)
    {
        _terminal = terminal;
        _options = options;
        _nodes = options.Plan();
        _processes = [.. _nodes.Select(n => new NodeProcess(n.Id, n.LogFile, () => Prepare(n), Notice))];
    }

    /// <summary>Runs a local cluster; returns the exit code.</summary>
    public static async Task<int> RunAsync(Terminal terminal, LocalClusterOptions options)
    {
        var runner = new Runner(terminal, options);
        using var folder = DataFolder.Open(options);
        await runner.CheckPortsAsync();
        using var interrupt = new InterruptSource(runner.KillAll);
        await runner.RunAsync(interrupt.Token);
        return ExitCode.Done;
    }

    private async Task RunAsync(CancellationToken interrupt)
    {
        var contact = string.Join(',', _nodes.Select(n => n.Address));
        _terminal.Out.WriteLine($"data in {Path.GetFullPath(_options.Data)}, contact {contact}");
        var supervision = Task.WhenAll(_processes.Select(p => p.RunAsync(interrupt)));
        await using (var watch = new ClusterWatch(_nodes, Notice))
        {
            if (_terminal.OutputIsTerminal) await ShowTableAsync(watch, supervision, interrupt);
            else await ShowChangesAsync(watch, interrupt);
        }

        _terminal.Out.WriteLine("stopping all nodes");
        await supervision;
        _terminal.Out.WriteLine("all nodes have stopped");
    }

    private async Task ShowChangesAsync(ClusterWatch watch, CancellationToken interrupt)
    {
        var log = new ChangeLog();
        while (await SnapshotAsync(watch, interrupt) is { } nodes)
        {
            lock (_lock)
            {
                foreach (var line in log.Changes(nodes)) _terminal.Out.WriteLine(line);
            }
        }
    }

    private async Task ShowTableAsync(ClusterWatch watch, Task supervision, CancellationToken interrupt)
    {
        const string footer = "Ctrl-C stops all nodes. In another terminal: recoverkv put KEY VALUE, get KEY, status";
        IReadOnlyList<NodeSnapshot> nodes = Snapshot(new Dictionary<string, Client.Contracts.NodeStatus>());
        await AnsiConsole.Live(LiveTable.Draw(nodes, [], footer)).StartAsync(async live =>
        {
            while (await SnapshotAsync(watch, interrupt) is { } now)
            {
                nodes = now;
                live.UpdateTarget(LiveTable.Draw(nodes, Notices(), footer));
            }
        });
    }

    /// <summary>The state after the next interval; null once interrupted.</summary>
    private async Task<IReadOnlyList<NodeSnapshot>?> SnapshotAsync(ClusterWatch watch, CancellationToken interrupt)
    {
        try
        {
            await Task.Delay(RefreshInterval, interrupt);
            return Snapshot(await watch.AskAsync(interrupt));
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return null;
        }
    }

    private IReadOnlyList<NodeSnapshot> Snapshot(IReadOnlyDictionary<string, Client.Contracts.NodeStatus> status) =>
        [.. _nodes.Zip(_processes, (n, p) => NodeSnapshot.Of(n, p, status.GetValueOrDefault(n.Id)))];

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

    private void KillAll()
    {
        foreach (var process in _processes) process.Kill();
    }

    /// <summary>Writes the node's configuration, afresh at each start: the folder may have been wiped meanwhile.
    /// </summary>
    private ProcessStartInfo Prepare(LocalNode node)
    {
        NodeConfigFile.Write(node, _nodes, _options.Chaos);
        List<string> arguments = ["node", "--config", node.ConfigFile, "--stop-with-stdin"];
        foreach (var setting in _options.Settings) arguments.AddRange(["--set", setting]);
        return ThisProgram.Start(arguments);
    }

    private async Task CheckPortsAsync()
    {
        var clock = Stopwatch.StartNew();
        foreach (var node in _nodes)
        {
            while (!IsFree(node.Port))
            {
                if (clock.Elapsed >= _options.PortPatience)
                    throw new CommandFailedException(
                        $"{node.Address} is in use: stop what listens there, or choose other ports with --port");
                await Task.Delay(100);
            }
        }
    }

    private static bool IsFree(int port)
    {
        var listener = new TcpListener(IPAddress.Parse(LocalClusterOptions.Host), port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            return false;
        }
        finally
        {
            listener.Stop();
        }
    }
}
