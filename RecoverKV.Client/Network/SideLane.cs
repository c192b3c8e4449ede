using System.Net.Sockets;
using Akka.Dispatch;

namespace RecoverKV.Client.Network;

/// <summary>
/// A second connection beside a <see cref="SocketLink"/> between nodes, for small frames only and made when first needed:
/// while much waits in the link, heartbeats and acknowledgements go around it, and may come before what was written earlier.
/// Nothing of it is needed: what it cannot take, the link does. Thread-safe.
/// </summary>
/// <param name="connect">Makes a connection that the other side knows to be this lane.</param>
/// <param name="strand">Where frames are sent.</param>
internal sealed class SideLane(Func<Task<Socket>> connect, Strand strand) : IRunnable
{
    /// <summary>How many bytes a small frame has at most.</summary>
    internal const int Small = 4 * 1024;

    // A firewall may have forgotten a connection that was not used for longer.
    private const long Idle = 10_000;
    private const int Waiting = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly FrameWriter _outgoing = new(Waiting);
    private Socket? _socket;
    private long _usedAt;
    private bool _connects;
    private bool _sends;
    private bool _closed;

    /// <summary>Adds a frame, if the lane is there and free.</summary>
    internal bool TryWrite(ReadOnlySpan<byte> payload)
    {
        Socket? old = null;
        bool added = false, begins = false, connects = false;
        lock (_gate)
        {
            if (_closed || _connects) return false;
            var now = Environment.TickCount64;
            if (_socket is not null && now - _usedAt > Idle && !_sends) (old, _socket) = (_socket, null);
            _usedAt = now;
            if (_socket is null)
            {
                _connects = connects = true;
            }
            else
            {
                added = _outgoing.TryAdd(payload);
                begins = added && !_sends;
                _sends |= begins;
            }
        }

        old?.Dispose();
        if (connects) _ = ConnectAsync();
        if (begins) strand.Execute(this);
        return added;
    }

    /// <summary>Closes it for good.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _socket?.Dispose();
        }
    }

    /// <summary>Called by the strand.</summary>
    public void Run() => _ = SendAsync();

    void IThreadPoolWorkItem.Execute() => Run();

    private async Task ConnectAsync()
    {
        Socket? made = null;
        try
        {
            made = await connect().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
        {
            // Then there is no lane.
        }

        lock (_gate)
        {
            _connects = false;
            _socket = made;
            // A peer that takes no lane is not asked again and again.
            if (made is null) _closed = true;
            if (_closed) made?.Dispose();
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (Take(out var socket) is { IsEmpty: false } rest)
                while (!rest.IsEmpty) rest = rest[await socket!.SendAsync(rest).ConfigureAwait(false)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close();
        }
    }

    private ReadOnlyMemory<byte> Take(out Socket? socket)
    {
        lock (_gate)
        {
            socket = _socket;
            _sends = _outgoing.TryTake(out var bytes);
            return bytes;
        }
    }
}
