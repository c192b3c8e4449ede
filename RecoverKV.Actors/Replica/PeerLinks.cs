using Akka.Actor;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// The other replicas, at their configured addresses: elections and appends never wait for Akka.Cluster to see a node.
/// Links can be cut for tests. Used by one actor.
/// </summary>
internal sealed class PeerLinks
{
    private readonly Dictionary<NodeId, IActorRef> _peers = [];
    private HashSet<NodeId>? _reachable;

    /// <summary>Resolves the peers.</summary>
    public PeerLinks(ExtendedActorSystem system, NodeSettings settings)
    {
        // All nodes speak the same protocol, which Akka's settings (TLS, adapters) make part of the address.
        var protocol = system.Provider.DefaultAddress.Protocol;
        foreach (var member in settings.Members)
        {
            if (member.Node == settings.Self.Node) continue;
            var address = Address.Parse(member.Address).WithProtocol(protocol);
            _peers.Add(member.Node, system.Provider.ResolveActorRef(address + ReplicaActor.Path));
        }
    }

    /// <summary>Limits the links to these nodes; null restores all.</summary>
    public void Cut(IEnumerable<NodeId>? reachable) => _reachable = reachable?.ToHashSet();

    /// <summary>Whether messages pass between this node and the other one.</summary>
    public bool IsOpen(NodeId peer) => _peers.ContainsKey(peer) && (_reachable == null || _reachable.Contains(peer));

    /// <summary>Whether a message that claims to be from a node is let in. One of a node that is not configured is the
    /// core's to refuse (R12).</summary>
    public bool LetsIn(NodeId from) => IsOpen(from) || !_peers.ContainsKey(from);

    /// <summary>The replica of a node.</summary>
    public IActorRef this[NodeId peer] => _peers[peer];
}
