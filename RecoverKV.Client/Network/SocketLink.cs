using System.Net.Sockets;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace RecoverKV.Client.Network;

/// <summary>
/// One connection. Incoming frames are delivered on the <see cref="Strand"/>; outgoing ones are sent there, together those
/// that were written in one turn. <see cref="Write"/> and closing are thread-safe and never block.
/// </summary>
internal sealed class SocketLink : AssociationHandle
{
    // More does not wait for a peer that takes nothing: the connection is given up, as losing messages is expected, while
    // keeping them takes memory without end.
    private const int Waiting = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly Strand _strand;
    private readonly FrameReader _incoming;
    private readonly FrameWriter _outgoing;
    private readonly Flush _flush;
    private readonly Action<SocketLink> _closed;
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
    /// <param name="longest">How many bytes a payload may have.</param>
    /// <param name="local">The address of this side.</param>
    /// <param name="remote">The address of the other side.</param>
    /// <param name="closed">Called when it is closed, perhaps more than once.</param>
    internal SocketLink(
        Socket socket, Strand strand, int longest, Address local, Address remote, Action<SocketLink> closed)
        : base(local, remote)
    {
        (_socket, _strand, _closed) = (socket, strand, closed);
        _incoming = new FrameReader(longest);
        _outgoing = new FrameWriter((int)Math.Min(Array.MaxLength, Math.Max(Waiting, 2L * (longest + Frame.Header))));
        _flush = new Flush(this);
        _ = ReceiveAsync();
    }

    /// <inheritdoc/>
    public override bool Write(ByteString payload)
    {
        bool added, begins;
        lock (_gate)
        {
            if (_closing) return false;
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

    private void Close()
    {
        bool stuck;
        lock (_gate)
        {
            _closing = true;
            stuck = _sending == Sending.Stuck;
        }

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

    private async Task ReceiveAsync()
    {
        var listener = await ReadHandlerSource.Task.ConfigureAwait(false);
        var strand = new Strand.Entry(_strand);
        // Not in the midst of what Akka does as it sets the listener.
        await strand;
        try
        {
            while (await _socket.ReceiveAsync(_incoming.Room()).ConfigureAwait(false) is > 0 and var bytes)
            {
                await strand;
                _incoming.Received(bytes);
                while (_incoming.TryRead(out var frame))
                    listener.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(frame)));
            }
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
