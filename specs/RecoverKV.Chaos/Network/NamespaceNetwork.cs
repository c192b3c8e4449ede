using System.Globalization;

namespace RecoverKV.Chaos.Network;

/// <summary>
/// A network namespace of its own for each node and for the clients, joined by a bridge in another one: nothing of it
/// is seen outside. A link is cut for real and in one direction, by giving the sender a wrong hardware address of the
/// receiver: its frames are sent and get lost, as with a broken switch. Needs root and iproute2.
/// </summary>
internal sealed class NamespaceNetwork : IChaosNetwork
{
    private const string Device = "eth0";
    private const string NoOne = "02:00:00:00:ff:ff";

    private readonly string _prefix = $"rkv{Environment.ProcessId}";
    private readonly int _nodes;
    private readonly HashSet<int> _throttled = [];
    private readonly HashSet<(int From, int To)> _cut = [];

    private NamespaceNetwork(int nodes) => _nodes = nodes;

    public string Description =>
        "network namespaces joined by a bridge; links are cut by wrong hardware addresses, throttled by a token bucket";

    public bool CutsOneWay => true;

    public bool Throttles => true;

    /// <summary>Whether this machine lets us.</summary>
    public static async Task<bool> IsPossibleAsync()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess
            || !Commands.Exists("ip") || !Commands.Exists("tc"))
            return false;
        var name = $"rkv{Environment.ProcessId}-try";
        if ((await Commands.TryAsync("ip", "netns", "add", name)).Code != 0) return false;
        var bridge = await Commands.TryAsync("ip", "-n", name, "link", "add", "br0", "type", "bridge");
        var pair = await Commands.TryAsync("ip", "-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "b0");
        await Commands.RunAsync("ip", "netns", "del", name);
        return bridge.Code == 0 && pair.Code == 0;
    }

    public static async Task<NamespaceNetwork> CreateAsync(int nodes)
    {
        await RemoveLeftoversAsync();
        var network = new NamespaceNetwork(nodes);
        try
        {
            await network.BuildAsync();
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public string Host(int node) => string.Create(CultureInfo.InvariantCulture, $"10.66.0.{10 + node}");

    public int Port(int node) => 4050 + node;

    public string[] AtNode(int node, params string[] command) => ["ip", "netns", "exec", Name(node), .. command];

    public string[] AtClients(params string[] command) => AtNode(0, command);

    public async Task CutAsync(IReadOnlyCollection<(int From, int To)> links)
    {
        foreach (var link in links)
        {
            await AddressAsync(link, NoOne);
            _cut.Add(link);
        }
    }

    public async Task ThrottleAsync(int node)
    {
        await TcAsync(node, "replace", "tbf", "rate", "1mbit", "burst", "16kb", "latency", "300ms");
        _throttled.Add(node);
    }

    public async Task ThinAsync()
    {
        for (var place = 0; place <= _nodes; place++)
        {
            await TcAsync(place, "replace", "tbf", "rate", "50mbit", "burst", "512kb", "latency", "2s");
            _throttled.Add(place);
        }
    }

    public async Task MendAsync()
    {
        foreach (var link in _cut) await AddressAsync(link, Hardware(link.To));
        foreach (var node in _throttled) await TcAsync(node, "del");
        _cut.Clear();
        _throttled.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in Enumerable.Range(0, _nodes + 1).Select(Name).Append(Hub))
            await Commands.TryAsync("ip", "netns", "del", name);
    }

    private string Hub => _prefix + "-hub";

    private string Name(int place) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}-{place}");

    private static string Hardware(int place) =>
        string.Create(CultureInfo.InvariantCulture, $"02:00:00:00:00:{10 + place:x2}");

    /// <summary>Of runs that were killed.</summary>
    private static async Task RemoveLeftoversAsync()
    {
        foreach (var line in (await Commands.RunAsync("ip", "netns", "list")).Split('\n'))
        {
            var name = line.Split(' ')[0];
            if (name.StartsWith("rkv", StringComparison.Ordinal)
                && int.TryParse(name[3..].Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && !Directory.Exists($"/proc/{pid}"))
                await Commands.TryAsync("ip", "netns", "del", name);
        }
    }

    private async Task BuildAsync()
    {
        await Commands.RunAsync("ip", "netns", "add", Hub);
        await Commands.RunAsync("ip", "-n", Hub, "link", "add", "br0", "type", "bridge");
        await Commands.RunAsync("ip", "-n", Hub, "link", "set", "br0", "up");
        for (var place = 0; place <= _nodes; place++)
        {
            var (name, port) = (Name(place), string.Create(CultureInfo.InvariantCulture, $"port{place}"));
            await Commands.RunAsync("ip", "netns", "add", name);
            await Commands.RunAsync(
                "ip", "-n", Hub, "link", "add", port, "type", "veth", "peer", "name", Device,
                "address", Hardware(place), "netns", name);
            await Commands.RunAsync("ip", "-n", Hub, "link", "set", port, "master", "br0", "up");
            await Commands.RunAsync("ip", "-n", name, "addr", "add", Host(place) + "/24", "dev", Device);
            await Commands.RunAsync("ip", "-n", name, "link", "set", Device, "up");
            await Commands.RunAsync("ip", "-n", name, "link", "set", "lo", "up");
        }

        // Known to everyone for good: nothing depends on address resolution, which a cut would disturb.
        for (var from = 0; from <= _nodes; from++)
        {
            foreach (var to in Enumerable.Range(0, _nodes + 1).Where(p => p != from))
                await AddressAsync((from, to), Hardware(to));
        }
    }

    private async Task AddressAsync((int From, int To) link, string hardware) => await Commands.RunAsync(
        "ip", "-n", Name(link.From), "neigh", "replace", Host(link.To), "lladdr", hardware,
        "dev", Device, "nud", "permanent");

    private async Task TcAsync(int node, string verb, params string[] discipline) =>
        await Commands.RunAsync(["tc", "-n", Name(node), "qdisc", verb, "dev", Device, "root", .. discipline]);
}
