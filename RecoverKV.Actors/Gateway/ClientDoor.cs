using System.Collections.Concurrent;
using System.Net.Sockets;
using Akka.Actor;
using RecoverKV.Actors.Network;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Gateway;

/// <summary>
/// The connections of clients. Their frames are client messages for the gateway and nothing else: whatever they say, no
/// other actor, and nothing of Akka, hears of it. Answers go over the connection that asked. What all of them may take
/// of the node's memory is bounded, whoever they are. Thread-safe.
/// </summary>
internal sealed class ClientDoor
{
    /// <summary>Who has said nothing for so long makes place for another, in milliseconds: a client connects anew when
    /// it has something to say.</summary>
    private const long Idle = 5_000;

    private const long LeastBudget = 32 * 1024 * 1024;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly ExtendedActorSystem _system;
    private readonly Door _door;
    private readonly Strand _strand;
    private readonly ConcurrentDictionary<ClientConnection, byte> _connections = [];

    // Large messages that are half there, and answers that are not taken.
    private readonly ByteBudget _incoming;
    private readonly ByteBudget _outgoing;
    private volatile bool _closed;

    /// <param name="system">Of the node.</param>
    /// <param name="door">Of the node.</param>
    /// <param name="strand">Of the node.</param>
    /// <param name="complain">Told of who is closed, and why.</param>
    internal ClientDoor(ExtendedActorSystem system, Door door, Strand strand, Action<string> complain)
    {
        (_system, _door, _strand, Complain) = (system, door, strand, complain);
        _incoming = new ByteBudget(Math.Max(LeastBudget, 4L * door.FrameSize));
        _outgoing = new ByteBudget(Math.Max(LeastBudget + LeastBudget / 2, 4L * door.FrameSize));
        _ = SweepAsync();
    }

    internal Action<string> Complain { get; }

    /// <summary>Reads the frames of a connection that is new.</summary>
    internal FrameReader NewReader() => new(Knock.Longest, _incoming);

    /// <summary>A connection that has greeted as a client.</summary>
    internal void Enter(Socket socket, Stream stream, FrameReader incoming)
    {
        incoming.Longest = _door.FrameSize;
        var link = new FrameLink(socket, stream, _strand, incoming, budget: _outgoing);
        var connection = new ClientConnection(_system.Provider, this, link, $"{socket.RemoteEndPoint}");
        _connections.TryAdd(connection, 0);
        if (_closed) link.Close();
        _ = BeginAsync(connection);
    }

    internal void Leave(ClientConnection connection) => _connections.TryRemove(connection, out _);

    /// <summary>Whether answers to reads may take so much more: the rest is for what must be said.</summary>
    internal bool HasRoom(long bytes) => _outgoing.Taken + bytes <= _outgoing.Most / 4 * 3;

    /// <summary>Before so many bytes are added: if there is no room left, those who hold most of it must go.</summary>
    internal void MakeRoom(long bytes)
    {
        while (_outgoing.Taken + bytes > _outgoing.Most)
        {
            var fattest = _connections.Keys.MaxBy(c => c.Pending);
            if (fattest is null || fattest.Pending == 0 || !_connections.TryRemove(fattest, out _)) return;
            fattest.GiveUp();
        }
    }

    /// <summary>Closes the connection that has been idle for the longest; false if none is.</summary>
    internal bool MakePlace()
    {
        ClientConnection? idlest = null;
        foreach (var connection in _connections.Keys)
            if (idlest is null || connection.HeardAt < idlest.HeardAt) idlest = connection;
        if (idlest is null || Environment.TickCount64 - idlest.HeardAt < Idle) return false;
        if (_connections.TryRemove(idlest, out _)) idlest.Close();
        return true;
    }

    /// <summary>Closes those that do not come to the end of a message.</summary>
    internal void Sweep(long now)
    {
        foreach (var connection in _connections.Keys) connection.Sweep(now);
    }

    private async Task SweepAsync()
    {
        while (!_closed)
        {
            await Task.Delay(Interval).ConfigureAwait(false);
            Sweep(Environment.TickCount64);
        }
    }

    internal void Close()
    {
        _closed = true;
        foreach (var connection in _connections.Keys) connection.Close();
    }

    // Who comes while the node starts is heard when it has.
    private async Task BeginAsync(ClientConnection connection) =>
        connection.Begin(await _door.Gateway.ConfigureAwait(false));
}
