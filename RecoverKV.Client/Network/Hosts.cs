using System.Net;
using System.Net.Sockets;

namespace RecoverKV.Client.Network;

/// <summary>Hosts as they stand in addresses: a name, an IPv4 address, or an IPv6 address in brackets.</summary>
public static class Hosts
{
    /// <summary>The one way to write this host, as Akka takes a message only under the very address of the node; null
    /// if it is none. IPv6 addresses may come without brackets where no port follows.</summary>
    /// <param name="text">As a person wrote it.</param>
    /// <param name="bare">Whether an IPv6 address may stand without brackets.</param>
    public static string? Normalize(string text, bool bare = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is 0 or > 253) return null;
        if (text.Contains(':', StringComparison.Ordinal))
        {
            var bracketed = text[0] == '[' && text[^1] == ']';
            // Scopes (fe80::1%eth0) are of one machine: no other could use the address.
            return (bracketed || bare) && !text.Contains('%', StringComparison.Ordinal)
                && IPAddress.TryParse(Bare(text), out var address)
                && address.AddressFamily == AddressFamily.InterNetworkV6
                ? $"[{address}]"
                : null;
        }

        // Each label has a character; a name may end with the root's dot.
        if (text[0] == '.' || text.Contains("..", StringComparison.Ordinal)) return null;
        return text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? text : null;
    }

    /// <summary>Whether it is this machine, and only from this machine. Names other than localhost are not looked
    /// up.</summary>
    public static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(Bare(host), out var address) && IPAddress.IsLoopback(address);

    /// <summary>Without the brackets, as sockets and name services take it.</summary>
    public static string Bare(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.Length > 2 && host[0] == '[' && host[^1] == ']' ? host[1..^1] : host;
    }
}
