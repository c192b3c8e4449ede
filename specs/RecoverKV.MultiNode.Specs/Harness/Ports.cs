using System.Net;
using System.Net.Sockets;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Free ports below those that operating systems give to outgoing connections: else such a connection could
/// take the port of a node that is down.</summary>
internal static class Ports
{
    private static int s_next = 20_000 + Random.Shared.Next(8_000);

    public static int Next()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref s_next);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // In use: the next one.
            }
        }
    }
}
