using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RecoverKV.Host.LocalCluster;

/// <summary>The nodes of a local cluster, each in a process of its own that is started again whenever it
/// ends.</summary>
internal sealed class LocalNodes
{
    private readonly LocalClusterOptions _options;

    /// <summary>Starts nothing yet.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="notice">Told of starts and ends, from any thread.</param>
    public LocalNodes(LocalClusterOptions options, Action<string> notice)
    {
        _options = options;
        Nodes = options.Plan();
        Processes = [.. Nodes.Select(n => new NodeProcess(n.Id, n.LogFile, () => Prepare(n), notice))];
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<LocalNode> Nodes { get; }

    /// <summary>Their processes, in the same order.</summary>
    public IReadOnlyList<NodeProcess> Processes { get; }

    /// <summary>Makes sure that the ports of the nodes are free, or will be in a moment.</summary>
    /// <exception cref="CommandFailedException">One stays in use.</exception>
    public async Task CheckPortsAsync()
    {
        var clock = Stopwatch.StartNew();
        foreach (var node in Nodes)
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

    /// <summary>Runs all processes until <paramref name="stop"/> is cancelled and all have left.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Processes.Select(p => p.RunAsync(stop)));

    /// <summary>Ends all processes at once, now or while they leave.</summary>
    public void KillAll()
    {
        foreach (var process in Processes) process.Kill();
    }

    /// <summary>The process of a node.</summary>
    public NodeProcess ProcessOf(string node) => Processes[Nodes.TakeWhile(n => n.Id != node).Count()];

    /// <summary>Writes the node's configuration, afresh at each start: the folder may have been wiped meanwhile.
    /// </summary>
    private ProcessStartInfo Prepare(LocalNode node)
    {
        NodeConfigFile.Write(node, Nodes, _options);
        List<string> arguments = ["node", "--config", node.ConfigFile, "--stop-with-stdin"];
        foreach (var setting in _options.Settings) arguments.AddRange(["--set", setting]);
        return ThisProgram.Start(arguments);
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
        catch (SocketException e)
        {
            throw new CommandFailedException(
                string.Create(
                    CultureInfo.InvariantCulture, $"cannot listen on {LocalClusterOptions.Host}:{port}: {e.Message}"));
        }
        finally
        {
            listener.Stop();
        }
    }
}
