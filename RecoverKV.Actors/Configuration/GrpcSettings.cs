namespace RecoverKV.Actors.Configuration;

/// <summary>The gRPC endpoint of a node, for the clients of the original. The node itself has no part in it: the program
/// that runs it does.</summary>
public sealed record GrpcSettings
{
    private const string Path = "recoverkv.grpc.servers";

    /// <summary>Whether there is one.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The host name or address to listen on; <c>localhost</c> is both loopback addresses.</summary>
    public required string Host { get; init; }

    /// <summary>The port to listen on.</summary>
    public required int Port { get; init; }

    /// <summary>The nodes under the names that clients have for them; a node may have several.</summary>
    public required IReadOnlyList<Member> Servers { get; init; }

    /// <exception cref="InvalidSettingsException">One of the settings makes no sense.</exception>
    internal static GrpcSettings Read(SettingsReader read, IReadOnlyList<Member> members)
    {
        var host = read.Text("grpc.host");
        if (!Member.IsHost(host))
            throw InvalidSettingsException.Of(
                "recoverkv.grpc.host", SettingsReader.Quote(host), "a host name or an IPv4 address is wanted");
        return new GrpcSettings
        {
            Enabled = read.Choice("grpc.enabled", SettingsReader.OnOff),
            Host = host,
            Port = read.Int("grpc.port", 1, 65535),
            Servers = ReadServers(read, members) is { Count: > 0 } servers ? servers : members,
        };
    }

    private static List<Member> ReadServers(SettingsReader read, IReadOnlyList<Member> members)
    {
        var servers = new List<Member>();
        foreach (var text in read.List("grpc.servers", "a list of \"id@host:port\" is wanted"))
        {
            var server = Member.Parse(text) ?? throw InvalidSettingsException.Of(
                Path, $"a list with {(text.Length == 0 ? "an empty entry" : SettingsReader.Quote(text))}",
                "each entry is \"id@host:port\", the id one of recoverkv.members");
            if (members.All(m => m.Node != server.Node))
                throw InvalidSettingsException.Of(
                    Path, $"a list with {server.Node}", $"one of {string.Join(", ", members.Select(m => m.Node))} is wanted");
            if (servers.Any(s => s.Port == server.Port && s.Host.Equals(server.Host, StringComparison.OrdinalIgnoreCase)))
                throw InvalidSettingsException.Of(
                    Path, $"a list with {server.Host}:{server.Port} in it twice", "each name stands for one node");
            servers.Add(server);
        }

        return servers;
    }
}
