using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RecoverKV.Client.Network;

namespace RecoverKV.Client.Connection;

/// <summary>A node's address as a user gives it.</summary>
internal sealed record ContactPoint(string Host, int Port)
{
    public override string ToString() => $"{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

    internal static ContactPoint[] ParseAll(IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ContactPoint[] points = [.. texts.Select(Parse).Distinct()];
        return points.Length > 0
            ? points
            : throw new ArgumentException("No contact point is given; one is needed, as host:port.");
    }

    /// <summary>Its addresses, those of IPv4 first; none if the name has none now.</summary>
    internal async Task<IPAddress[]> ResolveAsync(CancellationToken cancellation)
    {
        try
        {
            var all = await Dns.GetHostAddressesAsync(Hosts.Bare(Host), cancellation).ConfigureAwait(false);
            return [.. all.OrderByDescending(a => a.AddressFamily == AddressFamily.InterNetwork)];
        }
        catch (SocketException)
        {
            // No such name, or not now: the other contact points may do, and the caller tries again.
            return [];
        }
    }

    /// <summary>
    /// The address of this machine that nodes can answer to: loopback if every contact point is on this machine, else
    /// the one from which the first other contact point is reached.
    /// </summary>
    internal static IPAddress Local(IEnumerable<IPAddress> contacts)
    {
        var far = contacts.FirstOrDefault(address => !IPAddress.IsLoopback(address));
        if (far is null)
        {
            return contacts.All(a => a.AddressFamily == AddressFamily.InterNetworkV6) ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        }

        // Asks the system which of its addresses it would send from; connecting a datagram socket sends nothing.
        using var socket = new Socket(far.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(new IPEndPoint(far, 9));
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }

    /// <summary>
    /// Other ways to write this contact point. Akka takes a message only under the very host name that the node was
    /// configured with, and users do not know which of them that is.
    /// </summary>
    internal IEnumerable<ContactPoint> Aliases(IEnumerable<IPAddress> addresses)
    {
        var hosts = addresses.Select(a => Hosts.Normalize($"{a}", bare: true)).OfType<string>();
        if (addresses.Any(IPAddress.IsLoopback)) hosts = hosts.Append("localhost");
        return hosts.Where(host => host != Host).Select(host => this with { Host = host });
    }

    /// <summary>For each node that these contact points name: all ways to write it, as given first.</summary>
    internal static ContactPoint[][] Spellings(IEnumerable<(ContactPoint Point, IPAddress[] Addresses)> points) =>
    [
        .. points.GroupBy(p => (p.Addresses.Length > 0 ? p.Addresses[0].ToString() : p.Point.Host, p.Point.Port))
            .Select(node => node.Select(p => p.Point)
                .Concat(node.SelectMany(p => p.Point.Aliases(p.Addresses))).Distinct().ToArray()),
    ];

    private static ContactPoint Parse(string text)
    {
        var colon = text?.LastIndexOf(':') ?? -1;
        if (colon > 0
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and < 65536
            && Hosts.Normalize(text![..colon]) is { } host)
        {
            return new ContactPoint(host, port);
        }

        throw new ArgumentException($"'{text}' is no contact point; it must be host:port, as in 127.0.0.1:4053 or [::1]:4053.");
    }
}
