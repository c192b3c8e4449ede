using Akka.Actor;
using Akka.Remote;
using Akka.Remote.Transport;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Akka.Remote's throttler, which is part of the addresses of nodes.</summary>
internal static class Links
{
    /// <summary>The protocol part of all addresses.</summary>
    public const string Protocol = "akka.trttl.tcp";

    /// <summary>What an actor system's configuration needs.</summary>
    public const string Hocon = "akka.remote.dot-netty.tcp.applied-adapters = [trttl]";

    /// <summary>Lets everything pass that a node sends to another one, or nothing.</summary>
    public static async Task SetAsync(TestNode from, TestNode to, bool open)
    {
        var remoting = ((IRemoteActorRefProvider)((ExtendedActorSystem)from.System).Provider).Transport;
        var address = new Address(Protocol, from.System.Name, to.Host, to.Port);
        // An entry for one direction alone leaves new connections of the other one waiting for theirs: restored are
        // both.
        var command = open
            ? new SetThrottle(address, ThrottleTransportAdapter.Direction.Both, Unthrottled.Instance)
            : new SetThrottle(address, ThrottleTransportAdapter.Direction.Send, Blackhole.Instance);
        Assert.True(
            await remoting.ManagementCommand(command), $"The link from {from.Name} to {to.Name} could not be set.");
    }
}
