using System.Globalization;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Configuration;

/// <summary>A configured node and where the others reach it: the host is a name, an IPv4 address, or an IPv6 address in
/// brackets.</summary>
public sealed record Member(NodeId Node, string Host, int Port)
{
    /// <summary>Its Akka.Remote address.</summary>
    public string Address =>
        $"akka.tcp://{NodeSettings.SystemName}@{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Whether it has host and port of another one.</summary>
    public bool IsWhere(Member other) => IsAt(other.Host, other.Port);

    /// <summary>Whether it has this host and port.</summary>
    public bool IsAt(string host, long port) => Port == port && Host.Equals(host, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString() => $"{Node}@{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Reads "id@host:port"; null if it is not of this form.</summary>
    public static Member? Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var colon = text.LastIndexOf(':');
        if (at < 0 || colon < at) return null;
        var (id, host, port) = (text[..at], text[(at + 1)..colon], text[(colon + 1)..]);
        return IsNodeId(id) && Hosts.Normalize(host) is { } normal
            && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < 65536
            ? new Member(new NodeId(id), normal, number)
            : null;
    }

    /// <summary>Ids stand in actor names, file names and journals: a narrow set of characters fits all.</summary>
    public static bool IsNodeId(string text) =>
        text.Length is > 0 and <= 32 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
