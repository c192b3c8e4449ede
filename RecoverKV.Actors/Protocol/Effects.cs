using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>Where an answer goes: a client's address, opaque to the protocol.</summary>
public interface ICaller
{
    /// <summary>What it has waiting at the replica that it asks.</summary>
    Share Share { get; }
}

/// <summary>What one client has waiting at a replica: of the room for all of them one takes three quarters at most.
/// Kept by the core.</summary>
public sealed class Share
{
    internal int Writes { get; set; }

    internal long WriteBytes { get; set; }

    internal int Reads { get; set; }

    internal long ReadBytes { get; set; }

    internal static long Of(long room) => room - room / 4;
}

/// <summary>
/// What the host of a <see cref="ReplicaCore"/> must carry out, in the order given. The core itself holds back what
/// must wait for the disk until <see cref="ReplicaCore.Persisted"/> reports it.
/// </summary>
public abstract record Effect
{
    /// <summary>Append the fact to the journal and report it with <see cref="ReplicaCore.Persisted"/>.</summary>
    public sealed record Journal(long Number, Fact Fact) : Effect;

    /// <summary>Send a message to a node; never to this one.</summary>
    public sealed record Send(NodeId To, PeerMessage Message) : Effect;

    /// <summary>Answer a write.</summary>
    public sealed record AnswerWrite(ICaller Caller, WriteAnswer Answer) : Effect;

    /// <summary>Answer a read.</summary>
    public sealed record AnswerRead(ICaller Caller, ReadAnswer Answer) : Effect;

    /// <summary>Answer a scan.</summary>
    public sealed record AnswerScan(ICaller Caller, ScanReply Reply) : Effect;

    /// <summary>R6: read entries from the journal, pick those of the range by <see cref="JournalEntries.Select"/>, and
    /// send them as <see cref="Entries"/>.</summary>
    /// <param name="To">The node that asked.</param>
    /// <param name="Request">What it asked, cut to the uids whose entries are in these facts.</param>
    /// <param name="FirstFact">The first fact to read.</param>
    /// <param name="LastFact">The last fact to read.</param>
    public sealed record ServeFromJournal(NodeId To, Fetch Request, long FirstFact, long LastFact) : Effect;

    /// <summary>R10: the journal may forget all facts below a number. From now on a start needs a checkpoint that has
    /// all entries up to <paramref name="To"/>.</summary>
    public sealed record Forget(long Before, Uid To) : Effect;

    /// <summary>R10: read the next part of the checkpoint on the disk, which must be of the uid asked for, and send it
    /// as <see cref="StatePage"/>.</summary>
    internal sealed record ServeState(NodeId To, FetchState Request) : Effect;

    /// <summary>R10: write a part of the state that a peer sends beside the checkpoint, and report it with
    /// <see cref="ReplicaCore.StateTaken"/>; of the last one, that all of them together are what was
    /// promised.</summary>
    /// <param name="At">The uid of that state.</param>
    /// <param name="IsFirst">Whether what was written of another one goes.</param>
    /// <param name="Chunk">The part.</param>
    internal sealed record TakeState(Uid At, bool IsFirst, StateChunk Chunk) : Effect;

    /// <summary>R10: what was taken of a peer's state is of no use any more.</summary>
    internal sealed record DropState : Effect;

    /// <summary>R10: what was taken takes the place of the checkpoint; then this replica starts anew from it. Of the
    /// journal it needs what the base says.</summary>
    internal sealed record InstallState(LogBase Base, StateTotals Totals) : Effect;

    /// <summary>R11: this replica's disk lost facts that it had vouched for. It must stop for good; the node starts
    /// over with an empty data folder and a new incarnation.</summary>
    public sealed record StartOver(string Reason) : Effect;

    /// <summary>R8: the replica has left in good order; its process may end.</summary>
    public sealed record Left : Effect;

    /// <summary>Tell the operator: something is wrong that only an operator can mend. Rare.</summary>
    public sealed record Warning(string Text) : Effect;

    /// <summary>Tell the operator.</summary>
    public sealed record Notice(string Text) : Effect;
}
