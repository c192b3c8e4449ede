using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RecoverKV.Chaos.Network;

/// <summary>All on the loopback address. Links are cut by the nodes themselves, which then drop what they send and what
/// they get: both directions at once.</summary>
internal sealed class LoopbackNetwork : IChaosNetwork
{
    private readonly int[] _ports;

    /// <summary>Free ports, as far as can be known.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="firstPort">These from here on; 0: any.</param>
    public LoopbackNetwork(int nodes, int firstPort = 0)
    {
        if (firstPort > 0)
        {
            _ports = [.. Enumerable.Range(firstPort, nodes)];
            return;
        }

        var listeners = Enumerable.Range(0, nodes).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        _ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        listeners.ForEach(l => l.Dispose());
    }

    public string Description =>
        "loopback; links are cut by the nodes themselves (`recoverkv partition`), as this takes no rights";

    public bool CutsOneWay => false;

    public bool Throttles => false;

    public string Host(int node) => "127.0.0.1";

    public int Port(int node) => _ports[node - 1];

    public string[] AtNode(int node, params string[] command) => command;

    public string[] AtClients(params string[] command) => command;

    public async Task CutAsync(IReadOnlyCollection<(int From, int To)> links)
    {
        foreach (var node in links.Select(l => l.From).Distinct())
        {
            var reachable = Nodes.Where(other => other != node && !links.Contains((node, other)));
            await PartitionAsync(node, "--reachable", string.Join(',', reachable.Select(Name)));
        }
    }

    public Task ThrottleAsync(int node) => throw new NotSupportedException("needs network namespaces");

    public Task ThinAsync() => throw new NotSupportedException("needs network namespaces");

    public async Task MendAsync()
    {
        foreach (var node in Nodes) await PartitionAsync(node, "--off");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<int> Nodes => Enumerable.Range(1, _ports.Length);

    private static string Name(int node) => string.Create(CultureInfo.InvariantCulture, $"node{node}");

    private static string Contacts(IEnumerable<int> ports) => string.Join(',', ports.Select(p => $"127.0.0.1:{p}"));

    /// <summary>A node that is down has no cuts, and is none to be asked.</summary>
    private async Task PartitionAsync(int node, params string[] how) => await Commands.TryAsync(Commands.Program(
        "recoverkv", ["partition", Name(node), .. how, "--contact", Contacts(_ports)]));
}
