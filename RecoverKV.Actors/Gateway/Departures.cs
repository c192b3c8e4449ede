using System.Diagnostics;
using Akka.Actor;
using Akka.Remote;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Gateway;

/// <summary>
/// Lets go of clients that are gone. Akka.Remote keeps for days what it needs to answer an address that it once answered:
/// an actor, its timers, the state of its deliveries. When a client's connection has ended and no other has come, that is
/// given up here. A client that comes back later is served as if it were new.
/// </summary>
internal sealed class Departures : UntypedActor, IWithTimers
{
    // Longer than a client takes to connect anew after its connection broke.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IRemoteActorRefProvider _provider =
        (IRemoteActorRefProvider)((ExtendedActorSystem)Context.System).Provider;
    private readonly Dictionary<Address, TimeSpan> _gone = [];

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>One per node.</summary>
    public static Props PropsFor() => Props.Create(() => new Departures());

    /// <inheritdoc/>
    protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case AssociatedEvent { IsInbound: true } come:
                _gone.Remove(come.RemoteAddress);
                break;
            case DisassociatedEvent { IsInbound: true } gone when gone.RemoteAddress.System != Context.System.Name:
                _gone[gone.RemoteAddress] = Now;
                if (!Timers.IsTimerActive(Tick.Instance)) Timers.StartSingleTimer(Tick.Instance, Tick.Instance, Interval);
                break;
            case Tick:
                var limit = Now - Grace;
                foreach (var (address, at) in _gone)
                {
                    if (at > limit) continue;
                    _gone.Remove(address);
                    Forget(address);
                }

                if (_gone.Count > 0) Timers.StartSingleTimer(Tick.Instance, Tick.Instance, Interval);
                break;
        }
    }

    // What was received last is kept under the address until an actor that sends there ends: hence there must be one.
    private void Forget(Address address)
    {
        _provider.ResolveActorRef(new RootActorPath(address) / "user" / "nobody").Tell(new Unsupported(""), ActorRefs.NoSender);
        // Without an uid nobody is refused later: this only ends the actors of the address.
        _provider.Quarantine(address, null);
    }
}
