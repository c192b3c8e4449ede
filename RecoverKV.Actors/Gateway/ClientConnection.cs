using System.Globalization;
using Akka.Actor;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Gateway;

/// <summary>A client, as the gateway and the replica see it: what they tell it goes over its connection.
/// Thread-safe.</summary>
internal sealed class ClientConnection : MinimalActorRef, ILinkListener
{
    /// <summary>With so many bytes of answers waiting, reads of this client are answered later; and nothing more is
    /// taken from it with a quarter of them.</summary>
    internal const int Enough = 8 * 1024 * 1024;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Who takes nothing for so long, or does not come to the end of a message, is gone or means no good; in
    /// milliseconds.</summary>
    internal const long Patience = 30_000;

    private static long s_last;
    private readonly ClientDoor _door;
    private readonly FrameLink _link;
    private readonly string _from;
    private IActorRef _gateway = ActorRefs.Nobody;
    private long _heardAt = Environment.TickCount64;

    internal ClientConnection(IActorRefProvider provider, ClientDoor door, FrameLink link, string from)
    {
        (Provider, _door, _link, _from) = (provider, door, link, from);
        var number = Interlocked.Increment(ref s_last).ToString(CultureInfo.InvariantCulture);
        Path = new RootActorPath(Address.AllSystems) / "clients" / number;
    }

    /// <inheritdoc/>
    public override ActorPath Path { get; }

    /// <inheritdoc/>
    public override IActorRefProvider Provider { get; }

    /// <summary>When a message of it came last, in milliseconds.</summary>
    internal long HeardAt => Volatile.Read(ref _heardAt);

    /// <inheritdoc/>
    public Task? Pause => _link.Pending > Enough / 4 ? TakenAsync() : null;

    internal void Begin(IActorRef gateway)
    {
        _gateway = gateway;
        _link.Start(this);
    }

    internal void Close() => _link.End();

    /// <summary>How many bytes of answers wait for it.</summary>
    internal long Pending => _link.Pending;

    /// <summary>Ends it if a message has begun long ago that is not there completely, whether or not more of it
    /// comes.</summary>
    internal void Sweep(long now)
    {
        if (_link.AmidFrameSince is not (> 0 and var since) || now - since < Patience) return;
        _door.Complain($"The connection of a client at {_from} is closed: it does not come to the end of a message");
        _link.Close();
    }

    /// <summary>Ends it at once, for the memory that it holds.</summary>
    internal void GiveUp()
    {
        _door.Complain(
            $"The connection of a client at {_from} is closed: answers of {_link.Pending} bytes wait for it, more than "
            + "for any other, and there is no room for more");
        _link.Close();
    }

    /// <summary>Whether an answer of so many bytes may be added to what waits for it.</summary>
    internal bool MayAnswer(long bytes) => _link.Pending + bytes <= Enough && _door.HasRoom(bytes);

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is not IClientMessage answer) return;
        var bytes = ClientCodec.Encode(answer);
        _door.MakeRoom(bytes.Length);
        _link.Write(ClientCodec.Head(answer), bytes.Memory);
    }

    void ILinkListener.Received(byte[] frame)
    {
        Volatile.Write(ref _heardAt, Environment.TickCount64);
        IClientMessage message;
        try
        {
            message = ClientCodec.Decode(frame);
        }
        catch (FormatException e)
        {
            _door.Complain(
                $"The connection of a client at {_from} is closed: it sends what is no message. {e.Message}");
            _link.Close();
            return;
        }

        _gateway.Tell(message, this);
    }

    void ILinkListener.StillComing()
    {
    }

    void ILinkListener.Ended() => _door.Leave(this);

    /// <summary>Until it has taken most of its answers.</summary>
    private async Task TakenAsync()
    {
        var since = Environment.TickCount64;
        for (var most = _link.Pending; _link.Pending is var pending && pending > Enough / 4;)
        {
            if (pending < most) (most, since) = (pending, Environment.TickCount64);
            if (Environment.TickCount64 - since > Patience)
            {
                _door.Complain($"The connection of a client at {_from} is closed: it takes no answers");
                _link.Close();
                return;
            }

            await Task.Delay(LookAgain).ConfigureAwait(false);
        }
    }
}
