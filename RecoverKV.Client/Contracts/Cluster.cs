namespace RecoverKV.Client.Contracts;

/// <summary>Any message between a client and a gateway. The set is closed: see <c>ClientCodec</c>.</summary>
public interface IClientMessage;

/// <summary>Asks a gateway for its <see cref="ClusterView"/>.</summary>
public sealed record ClusterViewRequest(long Id) : IClientMessage;

/// <summary>A node as clients reach it.</summary>
/// <param name="Node">The node id.</param>
/// <param name="Host">Host of its configured address.</param>
/// <param name="Port">Port of its configured address.</param>
/// <param name="InSync">Whether the view counts it as in-sync: worth asking for linearizable reads.</param>
public sealed record NodeAddress(string Node, string Host, int Port, bool InSync);

/// <summary>Who leads and who is where, as the answering node knows it. A greater epoch is newer.</summary>
/// <param name="Id">The id of the request, 0 when it accompanies another answer.</param>
/// <param name="Epoch">The epoch of the accepted view, 0 before the first.</param>
/// <param name="Sequencer">The node id of the sequencer, null if none is known to lead now.</param>
/// <param name="Nodes">Every configured node.</param>
/// <param name="MaxKeyBytes">The longest key that the nodes take.</param>
/// <param name="MaxValueBytes">The longest value that the nodes take.</param>
/// <param name="Cluster">R12: the id of the node's store; empty before its first view, and in stores of builds that did
/// not know it.</param>
/// <param name="MaxWriteBytes">The longest write in its wire form, all operations together; 0 from builds that did not
/// say it, where it is <see cref="ClientLimits.WriteBytes"/>.</param>
/// <param name="FrameBytes">The largest frame that the nodes take: a message and what is around it
/// (<see cref="ClientLimits.FrameOverhead"/>); 0 from builds that did not say it, where it is
/// <see cref="ClientLimits.FrameBytes"/>.</param>
public sealed record ClusterView(
    long Id, long Epoch, string? Sequencer, IReadOnlyList<NodeAddress> Nodes, int MaxKeyBytes, int MaxValueBytes,
    Guid Cluster = default, int MaxWriteBytes = 0, int FrameBytes = 0) : IClientMessage;

/// <summary>What a replica may do now (DESIGN.md, Words). DEAD is never said by a node itself.</summary>
public enum NodeMode
{
    /// <summary>Not reachable or not running.</summary>
    Dead = 0,

    /// <summary>Running, not in-sync, or taking no part (R11, R12).</summary>
    Zombie = 1,

    /// <summary>In-sync, no sequencer or lease right now.</summary>
    Ready = 2,

    /// <summary>In-sync with a lease.</summary>
    Alive = 3,
}

/// <summary>Asks a node for its <see cref="NodeStatus"/>.</summary>
public sealed record NodeStatusRequest(long Id) : IClientMessage;

/// <summary>The state of one node, as it says itself.</summary>
/// <param name="Id">The id of the request.</param>
/// <param name="Node">Node id.</param>
/// <param name="Host">Host of its configured address.</param>
/// <param name="Port">Port of its configured address.</param>
/// <param name="ProcessId">Its operating system process.</param>
/// <param name="Mode">What it may do now.</param>
/// <param name="Epoch">Epoch of its accepted view.</param>
/// <param name="IsSequencer">Whether it leads now.</param>
/// <param name="Sequencer">Who leads its view; null if none does now, as far as it knows.</param>
/// <param name="Uid">It has every uid up to this one.</param>
/// <param name="CommittedUid">Every write up to this one is committed, as far as it knows.</param>
/// <param name="Gap">How many uids up to the highest that it knows to be committed it lacks.</param>
/// <param name="Keys">How many keys its state has.</param>
/// <param name="Reason">Why it is out of service, if it is and it knows.</param>
/// <param name="AppliedUid">The uid up to which its state in memory has come.</param>
/// <param name="Digest">A digest of its keys and values, their uids included: replicas at the same
/// <paramref name="AppliedUid"/> have the same one. It finds accidents, not forgeries.</param>
/// <param name="IsAlone">It reaches no peer and answers reads of <see cref="ReadConsistency.Available"/> with what it
/// has (<c>recoverkv.on-partition = available</c>).</param>
/// <param name="Cluster">R12: the id of its store; empty before the first view, and in stores of builds that did not
/// know it.</param>
public sealed record NodeStatus(
    long Id, string Node, string Host, int Port, int ProcessId, NodeMode Mode, long Epoch, bool IsSequencer,
    string? Sequencer, long Uid, long CommittedUid, long Gap, long Keys, string? Reason = null,
    long AppliedUid = 0, long Digest = 0, bool IsAlone = false, Guid Cluster = default) : IClientMessage;

/// <summary>
/// Stops the node that receives it. For tests: refused unless <c>recoverkv.chaos = on</c> there, or the secret is
/// right.
/// </summary>
/// <param name="Id">Chosen by the client.</param>
/// <param name="Clean">True: it leaves in good order. False: the process ends at once, as by kill -9,
/// unanswered.</param>
/// <param name="Secret">The <c>recoverkv.chaos-secret</c> of the node; null: none.</param>
public sealed record StopNode(long Id, bool Clean, string? Secret = null) : IClientMessage;

/// <summary>
/// Cuts the node that receives it from other nodes. For tests: refused unless <c>recoverkv.chaos = on</c> there, or the
/// secret is right.
/// </summary>
/// <param name="Id">Chosen by the client.</param>
/// <param name="Cut">True to cut, false to restore every link.</param>
/// <param name="Reachable">The node ids that it may still talk to.</param>
/// <param name="HealingOnly">
/// True: only the healing of gaps is limited to the reachable nodes. False: every message between nodes is.
/// </param>
/// <param name="Secret">The <c>recoverkv.chaos-secret</c> of the node; null: none.</param>
public sealed record PartitionNode(
    long Id, bool Cut, IReadOnlyList<string> Reachable, bool HealingOnly, string? Secret = null) : IClientMessage;

/// <summary>Asks a node for a checkpoint of what it has by now (R10). Answered when it is on the disk.</summary>
/// <param name="Id">Chosen by the client; the answer carries it.</param>
public sealed record CheckpointNode(long Id) : IClientMessage;

/// <summary>Asks a node for a part of its checkpoint (R10), for a backup.</summary>
/// <param name="Id">Chosen by the client; the answer carries it.</param>
/// <param name="At">The uid of the checkpoint; -1 for the one that there is.</param>
/// <param name="After">Where the part before ended, as its answer says; empty for the first.</param>
public sealed record BackupRequest(long Id, long At, ReadOnlyMemory<byte> After) : IClientMessage;

/// <summary>The answer to <see cref="BackupRequest"/>.</summary>
/// <param name="Id">The id of the request.</param>
/// <param name="At">The uid of the checkpoint; -1 if there is none, or another one by now.</param>
/// <param name="Part">The part, in the form in which nodes send it to each other; it says itself where the next one
/// begins.</param>
/// <param name="Cluster">Whose it is.</param>
/// <param name="FrameSize">The largest message of that store, in bytes.</param>
public sealed record BackupPart(long Id, long At, ReadOnlyMemory<byte> Part, Guid Cluster = default, int FrameSize = 0)
    : IClientMessage;

/// <summary>The answer to <see cref="StopNode"/>, <see cref="PartitionNode"/> and
/// <see cref="CheckpointNode"/>.</summary>
/// <param name="Id">The id of the request.</param>
/// <param name="Done">Whether it was done, or is under way.</param>
/// <param name="Text">Why not, or what was done, in one line.</param>
public sealed record AdminReply(long Id, bool Done, string? Text = null) : IClientMessage;

/// <summary>
/// What <c>ClientCodec</c> makes of a message whose manifest this version does not know, so that the receiver can say
/// so instead of losing it silently.
/// </summary>
public sealed record UnknownMessage(string Manifest) : IClientMessage;

/// <summary>The answer of a gateway to an <see cref="UnknownMessage"/>.</summary>
public sealed record Unsupported(string Manifest) : IClientMessage;
