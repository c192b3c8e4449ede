using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.LocalCluster;

namespace RecoverKV.Host.Bench.Cluster;

/// <summary>A cluster of three node processes that a benchmark starts for itself, in a temporary folder that is deleted
/// at the end.</summary>
internal sealed class OwnCluster : IAsyncDisposable
{
    private const int Size = 3;
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly LocalNodes _nodes;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private TimeSpan _cpuOfTheDead;

    private OwnCluster(string folder, LocalNodes nodes, TlsOptions? tls)
    {
        (_folder, _nodes, Tls) = (folder, nodes, tls);
        _running = nodes.RunAsync(_stop.Token);
    }

    /// <summary>The nodes to ask first.</summary>
    public IReadOnlyList<string> Contact => [.. _nodes.Nodes.Select(n => n.Address)];

    /// <summary>How they are reached; null: without TLS.</summary>
    public TlsOptions? Tls { get; }

    /// <summary>The nodes, in the order of the processes.</summary>
    public IReadOnlyList<LocalNode> Nodes => _nodes.Nodes;

    /// <summary>The process of a node, 0 if none runs.</summary>
    public int PidOf(string node) => ProcessOf(node).Pid;

    /// <summary>When a node's process was started last, in nanoseconds of the monotonic clock.</summary>
    public long StartedAt(string node) => Nanoseconds.FromTimestamp(ProcessOf(node).StartedAt);

    /// <summary>The type of the file system that the data is on.</summary>
    public string FileSystem => FileSystemOf(_folder);

    /// <summary>The processor time of all node processes since they were started, the killed ones included.</summary>
    public TimeSpan Cpu => _cpuOfTheDead + TimeSpan.FromTicks(_nodes.Processes.Sum(p => ProcessUsage.Cpu(p.Pid).Ticks));

    /// <summary>Starts a cluster; its nodes come up meanwhile.</summary>
    /// <param name="parent">The folder in which to make the temporary one.</param>
    /// <param name="settings">Settings of the nodes, as KEY=VALUE.</param>
    /// <param name="withTls">Whether their connections are encrypted.</param>
    public static async Task<OwnCluster> StartAsync(string parent, IReadOnlyList<string> settings, bool withTls)
    {
        var folder = NewFolder(parent);
        try
        {
            var options = new LocalClusterOptions
            {
                Nodes = Size,
                Data = folder,
                Port = FreePorts(),
                Settings = settings,
            };
            if (withTls) options = options.WithTls();
            var nodes = new LocalNodes(options, static _ => { });
            NodeConfigFile.Write(nodes.Nodes[0], nodes.Nodes, options);
            // A wrong setting is told at once, not by nodes that do not come up.
            NodeConfig.Load(nodes.Nodes[0].ConfigFile, settings);
            await nodes.CheckPortsAsync();
            return new OwnCluster(folder, nodes, options.ClientTls);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Waits until every node is ALIVE.</summary>
    /// <exception cref="CommandFailedException">That took too long.</exception>
    public async Task ReadyAsync(RecoverKvClient client, CancellationToken interrupt)
    {
        var clock = Stopwatch.StartNew();
        while ((await client.GetStatusAsync(interrupt)).Nodes.Any(n => n.Mode != NodeMode.Alive))
        {
            if (clock.Elapsed > StartTime)
                throw new CommandFailedException(
                    $"the nodes did not get ready: {LastError ?? "no node says why"}");
            await Task.Delay(50, interrupt);
        }
    }

    /// <summary>What a node's process said last before it ended.</summary>
    public string? LastError => _nodes.Processes.Select(p => p.LastError).FirstOrDefault(e => e is not null);

    /// <summary>Kills a node as by kill -9.</summary>
    /// <param name="node">Its id.</param>
    /// <param name="hold">Whether it stays down until <see cref="Release"/>; else it is started again at once.</param>
    public void Kill(string node, bool hold)
    {
        var process = ProcessOf(node);
        if (hold) process.Hold();
        if (process.Pid is not (> 0 and var pid)) return;
        _cpuOfTheDead += ProcessUsage.Cpu(pid);
        using var victim = Process.GetProcessById(pid);
        victim.Kill();
    }

    /// <summary>Starts a node that was held down.</summary>
    public void Release(string node) => ProcessOf(node).Release();

    /// <summary>Waits until a killed node's process has gone.</summary>
    public async Task GoneAsync(string node, CancellationToken interrupt)
    {
        while (ProcessOf(node).Pid != 0) await Task.Delay(5, interrupt);
    }

    /// <summary>The bytes of a node's folder.</summary>
    public long DataBytes(string node) =>
        new DirectoryInfo(_nodes.Nodes.Single(n => n.Id == node).Folder).EnumerateFiles().Sum(f => f.Length);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // What they hold is deleted anyway: no need for them to leave in good order.
        await _stop.CancelAsync();
        _nodes.KillAll();
        await _running;
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private NodeProcess ProcessOf(string node)
    {
        for (var i = 0; i < _nodes.Nodes.Count; i++)
        {
            if (_nodes.Nodes[i].Id == node) return _nodes.Processes[i];
        }

        throw new CommandFailedException($"{node} is no node that this benchmark started");
    }

    private static string NewFolder(string parent)
    {
        try
        {
            Directory.CreateDirectory(parent);
            var name = string.Create(
                CultureInfo.InvariantCulture, $"recoverkv-bench-{Environment.ProcessId}-{Environment.TickCount64}");
            return Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), name)).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--data: {e.Message}");
        }
    }

    private static string FileSystemOf(string folder)
    {
        try
        {
            return DriveInfo.GetDrives()
                .Where(d => folder.StartsWith(d.Name, StringComparison.Ordinal))
                .MaxBy(d => d.Name.Length)?.DriveFormat ?? "unknown";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is only told to the reader of the report.
            return "unknown";
        }
    }

    private static int FreePorts()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToHashSet();
        // Below the range from which systems give ports to outgoing connections.
        var first = 21_000 + Environment.ProcessId % 1000 * 10;
        return Enumerable.Range(0, 1000).Select(i => first + i * Size)
            .First(port => !Enumerable.Range(port, Size).Any(taken.Contains));
    }
}
