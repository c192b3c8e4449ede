using System.Net.Sockets;

namespace RecoverKV.Client.Network;

/// <summary>What a <see cref="FrameLink"/> tells, on its strand.</summary>
internal interface ILinkListener
{
    /// <summary>A frame came, in order.</summary>
    void Received(byte[] frame);

    /// <summary>Bytes of a frame have been coming for a while that is not there completely: a large frame over a thin
    /// line is no silence.</summary>
    void StillComing();

    /// <summary>Nothing more is read until then: who takes no answers is not asked for more to answer. Null: goes
    /// on.</summary>
    Task? Pause => null;

    /// <summary>The connection has ended, here or there; nothing follows.</summary>
    void Ended();
}

/// <summary>
/// One connection. Incoming frames are delivered on the <see cref="Strand"/>; outgoing ones are sent there, together
/// those that were written in one turn. Between nodes small frames go by a <see cref="SideLane"/> while others wait.
/// Writing and closing are thread-safe and never block.
/// </summary>
internal sealed class FrameLink
{
    /// <summary>More does not wait for a peer that takes nothing: the connection is given up, as losing messages is
    /// expected, while keeping them takes memory without end.</summary>
    internal const int Waiting = 64 * 1024 * 1024;

    private const long SignOfLife = 500;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Strand _strand;
    private readonly FrameReader _incoming;
    private readonly FrameWriter _outgoing;
    private readonly Flush _flush;
    private readonly SideLane? _lane;
    private readonly ByteBudget? _budget;
    private long _taken;
    private ILinkListener? _listener;
    private (Stream Stream, FrameReader Incoming)? _incomingLane;
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
    /// <param name="stream">What is sent and received by it.</param>
    /// <param name="strand">Where frames are delivered and sent.</param>
    /// <param name="incoming">What came already.</param>
    /// <param name="lane">Where small frames may go while others wait.</param>
    /// <param name="budget">What waits to be sent takes of it; without any left the connection is given up.</param>
    internal FrameLink(
        Socket socket, Stream stream, Strand strand, FrameReader incoming, SideLane? lane = null,
        ByteBudget? budget = null)
    {
        (_socket, _stream, _strand, _incoming, _lane, _budget) = (socket, stream, strand, incoming, lane, budget);
        _outgoing = new FrameWriter(
            (int)Math.Min(Array.MaxLength, Math.Max(Waiting, 2L * (incoming.Longest + Frame.Header))));
        _flush = new Flush(this);
    }

    /// <summary>Delivers what comes from now on; once.</summary>
    internal void Start(ILinkListener listener)
    {
        (Stream, FrameReader)? lane;
        lock (_gate) (_listener, lane) = (listener, _incomingLane);
        _ = ReceiveAsync(listener);
        if (lane is var (stream, incoming)) _ = ReceiveLaneAsync(stream, incoming, listener);
    }

    /// <summary>Sends a frame, which is both parts; false if the connection ends, or is given up by this. The body
    /// belongs to the link from now on.</summary>
    internal bool Write(ReadOnlySpan<byte> head, ReadOnlyMemory<byte> body = default)
    {
        bool added, begins;
        lock (_gate)
        {
            if (_closing) return false;
            if (_sending == Sending.Stuck && head.Length + body.Length <= SideLane.Small
                && _lane?.TryWrite(head, body) is true)
                return true;
            added = MayAdd(head.Length + body.Length) && _outgoing.TryAdd(head, body);
            begins = added && _sending == Sending.Nothing;
            if (begins) _sending = Sending.Soon;
        }

        if (!added) Close();
        if (begins) _strand.Execute(_flush);
        return added;
    }

    private bool MayAdd(int length)
    {
        if (_budget is null) return true;
        var bytes = Frame.Header + length;
        if (!_budget.TryTake(bytes)) return false;
        _taken += bytes;
        return true;
    }

    private void Return(long bytes)
    {
        lock (_gate)
        {
            bytes = Math.Min(bytes, _taken);
            _taken -= bytes;
        }

        _budget?.Return(bytes);
    }

    /// <summary>Closes the connection, after what can be sent without waiting was sent.</summary>
    internal void End()
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
    internal void Take(Stream lane, FrameReader incoming)
    {
        Stream? old;
        ILinkListener? listener;
        bool closing;
        lock (_gate)
        {
            old = _incomingLane?.Stream;
            _incomingLane = (lane, incoming);
            (listener, closing) = (_listener, _closing);
        }

        old?.Dispose();
        if (closing) lane.Dispose();
        else if (listener is not null) _ = ReceiveLaneAsync(lane, incoming, listener);
    }

    /// <summary>Closes the connection at once.</summary>
    internal void Close()
    {
        bool stuck;
        Stream? incomingLane;
        lock (_gate)
        {
            _closing = true;
            stuck = _sending == Sending.Stuck;
            incomingLane = _incomingLane?.Stream;
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

        _stream.Dispose();
        _socket.Dispose();
        // Who knows this link may do so for a while yet.
        lock (_gate) _outgoing.Clear();
        Return(long.MaxValue);
    }

    /// <summary>Since when a frame has been coming that is not there completely, in milliseconds; 0: none is.</summary>
    internal long AmidFrameSince => _incoming.AmidFrameSince;

    /// <summary>How many bytes wait to be sent.</summary>
    internal long Pending
    {
        get
        {
            lock (_gate) return _budget is null ? _outgoing.Length : _taken;
        }
    }

    private async Task ReceiveAsync(ILinkListener listener)
    {
        var strand = new Strand.Entry(_strand);
        // Not in the midst of what the caller does.
        await strand;
        try
        {
            await ReceiveAsync(_stream, _incoming, listener, strand).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException
            or InvalidDataException)
        {
            // The connection broke, or was closed here, or the other side does not send frames.
        }
        finally
        {
            Close();
            _incoming.Dispose();
            listener.Ended();
        }
    }

    private async Task ReceiveLaneAsync(Stream lane, FrameReader incoming, ILinkListener listener)
    {
        try
        {
            var strand = new Strand.Entry(_strand);
            await strand;
            await ReceiveAsync(lane, incoming, listener, strand).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException
            or InvalidDataException)
        {
            // As above; the link itself goes on.
        }
        finally
        {
            await lane.DisposeAsync().ConfigureAwait(false);
            incoming.Dispose();
        }
    }

    /// <summary>Delivers all frames until the connection ends; begun on the strand.</summary>
    private static async Task ReceiveAsync(
        Stream stream, FrameReader incoming, ILinkListener listener, Strand.Entry strand)
    {
        var signAt = 0L;
        while (true)
        {
            var any = false;
            while (incoming.TryRead(out var frame))
            {
                listener.Received(frame);
                any = true;
            }

            signAt = any || !incoming.IsAmidFrame ? 0 : TellSignOfLife(listener, signAt);
            if (listener.Pause is { } pause)
            {
                await pause.ConfigureAwait(false);
                await strand;
            }

            if (await stream.ReadAsync(incoming.Room()).ConfigureAwait(false) is not (> 0 and var bytes)) return;
            await strand;
            incoming.Received(bytes);
        }
    }

    private static long TellSignOfLife(ILinkListener listener, long last)
    {
        var now = Environment.TickCount64;
        if (last == 0) return now;
        if (now - last < SignOfLife) return last;
        listener.StillComing();
        return now;
    }

    private async Task SendAsync()
    {
        var ends = true;
        try
        {
            while (TryTake(out var bytes, out ends))
            {
                var sending = _stream.WriteAsync(bytes);
                if (!sending.IsCompleted && !MayWait()) return;
                await sending.ConfigureAwait(false);
                if (_budget is not null) Return(bytes.Length);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
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

    private sealed class Flush(FrameLink link) : IThreadPoolWorkItem
    {
        public void Execute() => _ = link.SendAsync();
    }
}
