using System.Net.Sockets;

namespace RecoverKV.Client.Network;

/// <summary>
/// A second connection beside a <see cref="FrameLink"/> between nodes, for small frames only and made when first
/// needed: while much waits in the link, heartbeats and acknowledgements go around it, and may come before what was
/// written earlier. Nothing of it is needed: what it cannot take, the link does. Thread-safe.
/// </summary>
/// <param name="connect">Makes a connection that the other side knows to be this lane.</param>
/// <param name="strand">Where frames are sent.</param>
internal sealed class SideLane(Func<Task<Stream>> connect, Strand strand) : IThreadPoolWorkItem
{
    /// <summary>How many bytes a small frame has at most.</summary>
    internal const int Small = 4 * 1024;

    // A firewall may have forgotten a connection that was not used for longer.
    private const long Idle = 10_000;
    private const int Waiting = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly FrameWriter _outgoing = new(Waiting);
    private Stream? _stream;
    private long _usedAt;
    private bool _connects;
    private bool _sends;
    private bool _closed;

    /// <summary>Adds a frame, if the lane is there and free.</summary>
    internal bool TryWrite(ReadOnlySpan<byte> head, ReadOnlyMemory<byte> body)
    {
        Stream? old = null;
        bool added = false, begins = false, connects = false;
        lock (_gate)
        {
            if (_closed || _connects) return false;
            var now = Environment.TickCount64;
            if (_stream is not null && now - _usedAt > Idle && !_sends) (old, _stream) = (_stream, null);
            _usedAt = now;
            if (_stream is null)
            {
                _connects = connects = true;
            }
            else
            {
                added = _outgoing.TryAdd(head, body);
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
            _stream?.Dispose();
        }
    }

    /// <summary>Called by the strand.</summary>
    public void Execute() => _ = SendAsync();

    private async Task ConnectAsync()
    {
        Stream? made = null;
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
            _stream = made;
            // A peer that takes no lane is not asked again and again.
            if (made is null) _closed = true;
            if (_closed) made?.Dispose();
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (Take(out var stream) is { IsEmpty: false } bytes)
                await stream!.WriteAsync(bytes).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            Close();
        }
    }

    private ReadOnlyMemory<byte> Take(out Stream? stream)
    {
        lock (_gate)
        {
            stream = _stream;
            _sends = _outgoing.TryTake(out var bytes);
            return bytes;
        }
    }
}
