using System.Net.Sockets;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Client.Connection;

/// <summary>
/// The connection to a node: made when something is to be sent, and made anew when it broke. What is sent meanwhile,
/// and what a connection had not delivered when it broke, is lost; the owner is told. Thread-safe.
/// </summary>
internal sealed class NodeConnection : ILinkListener
{
    /// <summary>What is sent while it is being made is kept, up to so many messages.</summary>
    private const int MostWaiting = 64;

    private readonly Lock _gate = new();
    private readonly NodeConnections _owner;
    private readonly List<IClientMessage> _waiting = [];
    private FrameLink? _link;
    private long _retryAt;

    // When something was sent that nothing has come after.
    private long _askedAt;
    private long _heardAt;
    private bool _connecting;
    private bool _closed;

    internal NodeConnection(NodeConnections owner, ContactPoint node) => (_owner, Node) = (owner, node);

    internal ContactPoint Node { get; }

    /// <summary>Why the last attempt to connect failed; null if it did not.</summary>
    internal string? Failure { get; private set; }

    internal void Send(IClientMessage message)
    {
        FrameLink? link;
        var connects = false;
        lock (_gate)
        {
            if (_closed) return;
            link = _link;
            var now = NodeConnections.Now;
            if (link is not null)
            {
                if (_askedAt == 0) _askedAt = now;
            }
            else if (now < _retryAt)
            {
                return;
            }
            else
            {
                if (_waiting.Count < MostWaiting) _waiting.Add(message);
                connects = !_connecting;
                _connecting = true;
            }
        }

        if (link is not null) Write(link, message);
        else if (connects) _ = ConnectAsync();
    }

    /// <summary>Gives up a connection over which nothing has come for long although something should have: one over a
    /// cut line waits longer and longer before it tries again.</summary>
    internal void Sweep(long now)
    {
        FrameLink? link;
        lock (_gate)
        {
            link = _link;
            if (link is null || _askedAt == 0 || now - Math.Max(_askedAt, _heardAt) < Timing.ConnectionSilence) return;
        }

        link.Close();
    }

    internal void Close()
    {
        FrameLink? link;
        lock (_gate)
        {
            _closed = true;
            link = _link;
            _waiting.Clear();
        }

        link?.End();
    }

    void ILinkListener.Received(byte[] frame)
    {
        Heard(answers: true);
        IClientMessage message;
        try
        {
            message = ClientCodec.Decode(frame);
        }
        catch (FormatException)
        {
            // Not worth the connection: the next message may be a good one.
            return;
        }

        _owner.Received(message, Node);
    }

    void ILinkListener.StillComing() => Heard(answers: false);

    void ILinkListener.Ended()
    {
        lock (_gate)
        {
            _link = null;
            _askedAt = 0;
        }

        _owner.Lost(Node);
    }

    private void Heard(bool answers)
    {
        lock (_gate)
        {
            _heardAt = NodeConnections.Now;
            if (answers) _askedAt = 0;
        }
    }

    private async Task ConnectAsync()
    {
        FrameLink? link = null;
        string? failure = null;
        try
        {
            link = await Dialer.ConnectAsync(Node, _owner.Strand, _owner.Tls).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException
            or InvalidDataException)
        {
            failure = e is OperationCanceledException ? "it does not answer" : e.Message;
        }

        IClientMessage[] waiting;
        bool closed;
        lock (_gate)
        {
            _connecting = false;
            closed = _closed;
            waiting = [.. _waiting];
            _waiting.Clear();
            Failure = failure;
            if (failure is not null) _retryAt = NodeConnections.Now + Timing.ConnectRetry;
            else if (!closed) (_link, _askedAt, _heardAt) = (link, NodeConnections.Now, 0);
        }

        if (failure is not null)
        {
            _owner.Lost(Node);
        }
        else if (closed)
        {
            link!.Close();
        }
        else
        {
            link!.Start(this);
            foreach (var message in waiting) Write(link, message);
        }
    }

    private static void Write(FrameLink link, IClientMessage message) =>
        link.Write(ClientCodec.Head(message), ClientCodec.Encode(message).Memory);
}
