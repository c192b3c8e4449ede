using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>A connection between nodes, as Akka.Remote sees it. What is not for the other side to say does not reach it
/// (<see cref="PeerFilter"/>).</summary>
internal sealed class AkkaLink : AssociationHandle, ILinkListener
{
    private readonly PeerFilter _filter;
    private readonly Action<AkkaLink> _closed;
    private IHandleEventListener? _listener;

    /// <param name="link">The connection.</param>
    /// <param name="filter">What may come over it.</param>
    /// <param name="local">This side's address.</param>
    /// <param name="remote">The other side's.</param>
    /// <param name="closed">Called when it has ended.</param>
    internal AkkaLink(FrameLink link, PeerFilter filter, Address local, Address remote, Action<AkkaLink> closed)
        : base(local, remote)
    {
        (Link, _filter, _closed) = (link, filter, closed);
        _ = StartAsync();
    }

    internal FrameLink Link { get; }

    /// <summary>The id that the other side has proven.</summary>
    internal string Peer => _filter.Peer;

    /// <inheritdoc/>
    public override bool Write(ByteString payload) => Link.Write(payload.Span);

    /// <inheritdoc/>
    [Obsolete("Akka calls it through the overload that takes a reason.")]
    public override void Disassociate() => Link.End();

    void ILinkListener.Received(byte[] frame)
    {
        if (_filter.LetsPass(frame)) _listener!.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(frame)));
    }

    // Otherwise Akka takes a large frame over a thin line for silence, and gives the connection up in the midst of it.
    void ILinkListener.StillComing() => _listener!.Notify(new InboundPayload(Pdu.Heartbeat));

    void ILinkListener.Ended()
    {
        _closed(this);
        _listener!.Notify(new Disassociated(DisassociateInfo.Unknown));
    }

    private async Task StartAsync()
    {
        _listener = await ReadHandlerSource.Task.ConfigureAwait(false);
        Link.Start(this);
    }
}
