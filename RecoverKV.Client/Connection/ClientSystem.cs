using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>The actor system of a client: one actor, to which nodes answer. Anyone may send, from any thread.</summary>
internal sealed class ClientSystem
{
    private readonly ActorSystem _system;
    private readonly IActorRef _receiver;

    /// <param name="local">The address to listen at.</param>
    /// <param name="received">Called with each message and who sent it, one at a time.</param>
    /// <param name="lost">Called when the connection to an address breaks.</param>
    internal ClientSystem(IPAddress local, Action<IClientMessage, Address> received, Action<Address?> lost)
    {
        var config = ConfigurationFactory.ParseString($"akka.remote.dot-netty.tcp.hostname = \"{local}\"")
            .WithFallback(ConfigurationFactory.FromResource<ClientSystem>("RecoverKV.Client.Connection.client.conf"))
            .WithFallback(ConfigurationFactory.FromResource<ClientSystem>("RecoverKV.Client.Network.network.conf"));
        _system = Create(config);
        _receiver = _system.ActorOf(Props.Create(() => new Receiver(received, lost)), "client");
    }

    private static ActorSystem Create(Config config)
    {
        try
        {
            return ActorSystem.Create("recoverkv-client", config);
        }
        catch (Exception e)
        {
            var cause = e;
            while (cause.InnerException is not null) cause = cause.InnerException;
            // Such as no file descriptors, or none of its local addresses being there any more.
            if (cause is not (IOException or SocketException)) throw;
            throw new NotDoneException($"The client cannot listen for answers: {cause.Message}", e);
        }
    }

    internal IActorRef Gateway(string host, int port) => ((ExtendedActorSystem)_system).Provider.ResolveActorRef(
        new RootActorPath(new Address("akka.tcp", "recoverkv", host, port)) / "user" / "gateway");

    internal void Send(IActorRef gateway, IClientMessage message) => gateway.Tell(message, _receiver);

    internal Task TerminateAsync() => _system.Terminate();

    private sealed class Receiver(Action<IClientMessage, Address> received, Action<Address?> lost) : UntypedActor
    {
        protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case IClientMessage answer: received(answer, Sender.Path.Address); break;
                case DisassociatedEvent broken: lost(broken.RemoteAddress); break;
                case AssociationErrorEvent failed: lost(failed.RemoteAddress); break;
                default: Unhandled(message); break;
            }
        }
    }
}
