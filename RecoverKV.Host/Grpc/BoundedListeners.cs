using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RecoverKV.Actors.Network;

namespace RecoverKV.Host.Grpc;

/// <summary>Accepts one connection after the other, and none for which there is no file descriptor beside those that
/// are kept for files and nodes: the silent one that has waited longest makes place. Kestrel by itself accepts whatever
/// comes, and looks at it later.</summary>
internal sealed class BoundedListeners(SilentConnections silent) : IConnectionListenerFactory
{
    private static readonly Descriptors Files = Descriptors.OfThisProcess();
    private readonly SocketTransportFactory _inner = new(
        Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);

    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await _inner.BindAsync(endpoint, cancellationToken), silent);

    private sealed class Listener(IConnectionListener inner, SilentConnections silent) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await inner.AcceptAsync(cancellationToken) is { } connection)
            {
                var socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
                if (socket is null || Files.MayKeep(socket, isPeer: false)) return connection;
                silent.CloseOldest();
                connection.Abort();
                await connection.DisposeAsync();
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) =>
            inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
