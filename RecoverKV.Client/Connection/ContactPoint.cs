using System.Globalization;
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

        throw new ArgumentException(
            $"'{text}' is no contact point; it must be host:port, as in 127.0.0.1:4053 or [::1]:4053.");
    }
}
