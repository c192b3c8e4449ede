using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Configuration;

/// <summary>The gRPC endpoint of a node, for the clients of the original. The node itself has no part in it: the
/// program that runs it does.</summary>
public sealed record GrpcSettings
{
    /// <summary>Whether there is one.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The host name or address to listen on; <c>localhost</c> is both loopback addresses.</summary>
    public required string Host { get; init; }

    /// <summary>The port to listen on.</summary>
    public required int Port { get; init; }

    /// <summary>Whether it is encrypted, with the certificate of the node.</summary>
    public required bool Tls { get; init; }

    /// <summary>The nodes under the names that clients have for them; a node may have several.</summary>
    public required IReadOnlyList<Member> Servers { get; init; }

    /// <exception cref="InvalidSettingsException">One of the settings makes no sense.</exception>
    internal static GrpcSettings Read(SettingsReader read, IReadOnlyList<Member> members, bool tls) => new()
    {
        Enabled = read.Choice("grpc.enabled", SettingsReader.OnOff),
        Host = read.Host("grpc.host"),
        Port = read.Int("grpc.port", 1, 65535),
        Tls = ReadTls(read, tls),
        Servers = ReadServers(read, members) is { Count: > 0 } servers ? servers : members,
    };

    /// <summary>As the node has it beyond loopback, where it must have been decided; without on loopback, where the
    /// original's clients are.</summary>
    private static bool ReadTls(SettingsReader read, bool nodeHasIt)
    {
        const string path = "recoverkv.grpc.tls";
        var isBeyond = read.Choice("grpc.enabled", SettingsReader.OnOff) && !Hosts.IsLoopback(read.Host("grpc.host"));
        if (read.Text("grpc.tls").Length > 0)
        {
            var on = read.Choice("grpc.tls", SettingsReader.OnOff);
            return !on || nodeHasIt ? on
                : throw InvalidSettingsException.Of(
                    path, "on", "recoverkv.tls.mode = on is wanted, too, whose certificate it has");
        }

        if (isBeyond && !TlsSettings.IsGiven(read))
            throw InvalidSettingsException.Of(
                path, "",
                $"the endpoint listens on {read.Host("grpc.host")}, beyond this machine, where others can read and "
                + "change what is on the wire: on is wanted (with recoverkv.tls.mode = on), or off to do without TLS");
        return isBeyond && nodeHasIt;
    }

    private static List<Member> ReadServers(SettingsReader read, IReadOnlyList<Member> members)
    {
        const string path = "recoverkv.grpc.servers", right = "a list of \"id@host:port\" is wanted";
        const string entry = "each entry is \"id@host:port\", the id one of recoverkv.members";
        var servers = new List<Member>();
        foreach (var server in read.Members("grpc.servers", right, entry))
        {
            if (members.All(m => m.Node != server.Node))
                throw InvalidSettingsException.Of(
                    path, $"a list with {server.Node}",
                    $"one of {string.Join(", ", members.Select(m => m.Node))} is wanted");
            if (servers.Any(server.IsWhere))
                throw InvalidSettingsException.Of(
                    path, $"a list with {server.Host}:{server.Port} in it twice", "each name stands for one node");
            servers.Add(server);
        }

        return servers;
    }
}
