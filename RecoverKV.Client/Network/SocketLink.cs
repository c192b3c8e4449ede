using System.Net.Sockets;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace RecoverKV.Client.Network;

/// <summary>
/// One connection. Incoming frames are delivered on the <see cref="Strand"/>; outgoing ones are sent there, together those
/// that were written in one turn. Between nodes small frames go by a <see cref="SideLane"/> while others wait.
/// <see cref="Write"/> and closing are thread-safe and never block.
/// </summary>
internal sealed class SocketLink : AssociationHandle
{
    // More does not wait for a peer that takes nothing: the connection is given up, as losing messages is expected, while
    // keeping them takes memory without end.
    private const int Waiting = 64 * 1024 * 1024;

    // Bytes of a frame that is not there yet are a sign of life, too: after so long Akka is told so, in milliseconds.
    private const long SignOfLife = 500;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly Strand _strand;
    private readonly FrameReader _incoming;
    private readonly FrameWriter _outgoing;
    private readonly Flush _flush;
    private readonly Action<SocketLink> _closed;
    private readonly SideLane? _lane;
    private Socket? _incomingLane;
    private Sending _sending;
    private bool _closing;

    private enum Sending
    {
        /// <summary>Nothing waits.</summary>
        Nothing,

        /// <summary>On the strand, soon or now.</summary>
        Soon,

        /// <summary>The system's buffer is full.</summary>
        Stuck,
    }

    /// <param name="socket">Connected; belongs to this link from now on.</param>
    /// <param name="strand">Where frames are delivered and sent.</param>
    /// <param name="incoming">What else came already.</param>
    /// <param name="first">The first frame, if it came already.</param>
    /// <param name="addresses">Of this side, and of the other.</param>
    /// <param name="lane">Where small frames may go while others wait.</param>
    /// <param name="closed">Called when it is closed, perhaps more than once.</param>
    internal SocketLink(
        Socket socket, Strand strand, FrameReader incoming, byte[]? first, (Address Local, Address Remote) addresses,
        SideLane? lane, Action<SocketLink> closed)
        : base(addresses.Local, addresses.Remote)
    {
        (_socket, _strand, _incoming, _lane, _closed) = (socket, strand, incoming, lane, closed);
        _outgoing = new FrameWriter((int)Math.Min(Array.MaxLength, Math.Max(Waiting, 2L * (incoming.Longest + Frame.Header))));
        _flush = new Flush(this);
        _ = ReceiveAsync(first);
    }

    /// <inheritdoc/>
    public override bool Write(ByteString payload)
    {
        bool added, begins;
        lock (_gate)
        {
            if (_closing) return false;
            if (_sending == Sending.Stuck && payload.Length <= SideLane.Small && _lane?.TryWrite(payload.Span) is true) return true;
            added = _outgoing.TryAdd(payload.Span);
            begins = added && _sending == Sending.Nothing;
            if (begins) _sending = Sending.Soon;
        }

        if (!added) Close();
        if (begins) _strand.Execute(_flush);
        return added;
    }

    /// <summary>Closes the connection, after what can be sent without waiting was sent.</summary>
    [Obsolete("Akka calls it through the overload that takes a reason.")]
    public override void Disassociate()
    {
        lock (_gate)
        {
            if (_closing) return;
            _closing = true;
            if (_sending == Sending.Soon) return;
        }

        Close();
    }

    /// <summary>Whether the system takes no more bytes now; for specs.</summary>
    internal bool IsStuck
    {
        get
        {
            lock (_gate) return _sending == Sending.Stuck;
        }
    }

    /// <summary>Delivers what comes by the other side's lane, too, which belongs to this link from now on.</summary>
    internal void Take(Socket lane, FrameReader incoming)
    {
        Socket? old;
        bool closing;
        lock (_gate)
        {
            (old, _incomingLane) = (_incomingLane, lane);
            closing = _closing;
        }

        old?.Dispose();
        if (closing) lane.Dispose();
        else _ = ReceiveLaneAsync(lane, incoming);
    }

    private void Close()
    {
        bool stuck;
        Socket? incomingLane;
        lock (_gate)
        {
            _closing = true;
            stuck = _sending == Sending.Stuck;
            incomingLane = _incomingLane;
        }

        _lane?.Close();
        incomingLane?.Dispose();

        try
        {
            // Without it the system drops what the other side has not received yet.
            if (!stuck) _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        _socket.Dispose();
        _closed(this);
    }

    private async Task ReceiveAsync(byte[]? first)
    {
        var listener = await ReadHandlerSource.Task.ConfigureAwait(false);
        var strand = new Strand.Entry(_strand);
        // Not in the midst of what Akka does as it sets the listener.
        await strand;
        try
        {
            if (first is not null) Deliver(listener, first);
            await ReceiveAsync(_socket, _incoming, listener, strand).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidDataException)
        {
            // The connection broke, or was closed here, or the other side does not send frames.
        }
        finally
        {
            Close();
            listener.Notify(new Disassociated(DisassociateInfo.Unknown));
        }
    }

    private async Task ReceiveLaneAsync(Socket lane, FrameReader incoming)
    {
        try
        {
            var listener = await ReadHandlerSource.Task.ConfigureAwait(false);
            var strand = new Strand.Entry(_strand);
            await strand;
            await ReceiveAsync(lane, incoming, listener, strand).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidDataException)
        {
            // As above; the link itself goes on.
        }
        finally
        {
            lane.Dispose();
        }
    }

    /// <summary>Delivers all frames until the connection ends; begun on the strand.</summary>
    private static async Task ReceiveAsync(Socket socket, FrameReader incoming, IHandleEventListener listener, Strand.Entry strand)
    {
        var signAt = 0L;
        while (true)
        {
            var any = false;
            while (incoming.TryRead(out var frame))
            {
                Deliver(listener, frame);
                any = true;
            }

            signAt = any || !incoming.IsAmidFrame ? 0 : TellSignOfLife(listener, signAt);
            if (await socket.ReceiveAsync(incoming.Room()).ConfigureAwait(false) is not (> 0 and var bytes)) return;
            await strand;
            incoming.Received(bytes);
        }
    }

    private static void Deliver(IHandleEventListener listener, byte[] frame) =>
        listener.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(frame)));

    // Otherwise a large frame over a thin line looks like silence, and the connection is given up in the midst of it.
    private static long TellSignOfLife(IHandleEventListener listener, long last)
    {
        var now = Environment.TickCount64;
        if (last == 0) return now;
        if (now - last < SignOfLife) return last;
        listener.Notify(new InboundPayload(Pdu.Heartbeat));
        return now;
    }

    private async Task SendAsync()
    {
        var ends = true;
        try
        {
            while (TryTake(out var rest, out ends))
            {
                while (!rest.IsEmpty)
                {
                    var sending = _socket.SendAsync(rest);
                    if (!sending.IsCompleted && !MayWait()) return;
                    rest = rest[await sending.ConfigureAwait(false)..];
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It broke, or was closed here.
        }
        finally
        {
            if (ends) Close();
        }
    }

    /// <summary>What is to be sent next; if nothing, whether the connection ends now.</summary>
    private bool TryTake(out ReadOnlyMemory<byte> bytes, out bool ends)
    {
        lock (_gate)
        {
            var any = _outgoing.TryTake(out bytes);
            _sending = any ? Sending.Soon : Sending.Nothing;
            ends = any || _closing;
            return any;
        }
    }

    /// <summary>Whether what the system does not take at once is waited for.</summary>
    private bool MayWait()
    {
        lock (_gate)
        {
            if (_closing) return false;
            _sending = Sending.Stuck;
            return true;
        }
    }

    private sealed class Flush(SocketLink link) : IRunnable
    {
        public void Run() => _ = link.SendAsync();

        void IThreadPoolWorkItem.Execute() => Run();
    }
}
