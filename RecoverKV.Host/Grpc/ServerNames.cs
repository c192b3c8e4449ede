namespace RecoverKV.Host.Grpc;

/// <summary>The servers as clients name them, HOST:PORT, and the nodes that they stand for. They are names and nothing
/// else: nobody need listen there.</summary>
internal sealed class ServerNames
{
    private readonly Dictionary<string, string> _nodes = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Several names may stand for one node.</summary>
    public ServerNames(IEnumerable<(string Server, string Node)> servers)
    {
        foreach (var (server, node) in servers) _nodes.Add(server, node);
    }

    /// <summary>The nodes that have a name.</summary>
    public IEnumerable<string> Nodes => _nodes.Values.Distinct();

    /// <summary>The node behind a name; null if there is none.</summary>
    public string? Node(string server) => _nodes.GetValueOrDefault(server.Trim());

    /// <summary>The nodes behind names with commas in between, null in the place of one that is unknown. The original's
    /// client library ends its lists with a comma.</summary>
    public IReadOnlyList<string?> NodesOf(string servers) =>
        [.. servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Node)];
}
