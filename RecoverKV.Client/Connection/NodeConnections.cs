using System.Collections.Concurrent;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Client.Connection;

/// <summary>The connections of a client, one to each node. Nodes need none back: answers come over the connection that
/// asked. Thread-safe.</summary>
/// <param name="tls">How they are encrypted; null: not at all.</param>
/// <param name="received">Called with each message and where it came from, one at a time.</param>
/// <param name="lost">Called when a connection broke, or could not be made; one at a time with the others.</param>
internal sealed class NodeConnections(
    TlsOptions? tls, Action<IClientMessage, ContactPoint> received, Action<ContactPoint> lost)
{
    private readonly ConcurrentDictionary<ContactPoint, NodeConnection> _connections = new();

    /// <summary>What all of them share.</summary>
    internal Strand Strand { get; } = new();

    internal TlsOptions? Tls => tls;

    /// <summary>Monotonic milliseconds.</summary>
    internal static long Now => Environment.TickCount64;

    internal void Send(ContactPoint node, IClientMessage message) =>
        _connections.GetOrAdd(node, static (node, owner) => new NodeConnection(owner, node), this).Send(message);

    /// <summary>Why this node could not be reached last; null if it could, or was not tried.</summary>
    internal string? Failure(ContactPoint node) => _connections.TryGetValue(node, out var found) ? found.Failure : null;

    internal void Sweep(long now)
    {
        foreach (var connection in _connections.Values) connection.Sweep(now);
    }

    /// <summary>Closes those that go elsewhere.</summary>
    internal void Keep(IReadOnlyCollection<ContactPoint> nodes)
    {
        foreach (var (node, connection) in _connections)
        {
            if (!nodes.Contains(node) && _connections.TryRemove(KeyValuePair.Create(node, connection)))
                connection.Close();
        }
    }

    internal void Close()
    {
        foreach (var connection in _connections.Values) connection.Close();
    }

    internal void Received(IClientMessage message, ContactPoint from) => received(message, from);

    // Connecting ends on any thread: behind what comes from others.
    internal void Lost(ContactPoint node) => Strand.Execute(new Loss(node, lost));

    private sealed class Loss(ContactPoint node, Action<ContactPoint> lost) : IThreadPoolWorkItem
    {
        public void Execute() => lost(node);
    }
}
