namespace RecoverKV.Actors.Configuration;

/// <summary>The gRPC endpoint of a node, for the clients of the original. The node itself has no part in it: the program
/// that runs it does.</summary>
public sealed record GrpcSettings
{
    /// <summary>Whether there is one.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The host name or address to listen on; <c>localhost</c> is both loopback addresses.</summary>
    public required string Host { get; init; }

    /// <summary>The port to listen on.</summary>
    public required int Port { get; init; }

    /// <summary>The nodes under the names that clients have for them; a node may have several.</summary>
    public required IReadOnlyList<Member> Servers { get; init; }

    /// <exception cref="InvalidSettingsException">One of the settings makes no sense.</exception>
    internal static GrpcSettings Read(SettingsReader read, IReadOnlyList<Member> members) => new()
    {
        Enabled = read.Choice("grpc.enabled", SettingsReader.OnOff),
        Host = read.Host("grpc.host"),
        Port = read.Int("grpc.port", 1, 65535),
        Servers = ReadServers(read, members) is { Count: > 0 } servers ? servers : members,
    };

    private static List<Member> ReadServers(SettingsReader read, IReadOnlyList<Member> members)
    {
        const string path = "recoverkv.grpc.servers", right = "a list of \"id@host:port\" is wanted";
        const string entry = "each entry is \"id@host:port\", the id one of recoverkv.members";
        var servers = new List<Member>();
        foreach (var server in read.Members("grpc.servers", right, entry))
        {
            if (members.All(m => m.Node != server.Node))
                throw InvalidSettingsException.Of(
                    path, $"a list with {server.Node}", $"one of {string.Join(", ", members.Select(m => m.Node))} is wanted");
            if (servers.Any(server.IsWhere))
                throw InvalidSettingsException.Of(
                    path, $"a list with {server.Host}:{server.Port} in it twice", "each name stands for one node");
            servers.Add(server);
        }

        return servers;
    }
}
