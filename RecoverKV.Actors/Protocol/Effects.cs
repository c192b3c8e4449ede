using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>Where an answer goes: a client's address, opaque to the protocol.</summary>
public interface ICaller
{
    /// <summary>What it has waiting at the replica that it asks.</summary>
    Share Share { get; }
}

/// <summary>What one client has waiting at a replica: of the room for all of them one takes three quarters at most. Kept by the
/// core.</summary>
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

    /// <summary>R6: read entries from the journal, pick those of the range by <see cref="JournalEntries.Select"/>, and send
    /// them as <see cref="Entries"/>.</summary>
    /// <param name="To">The node that asked.</param>
    /// <param name="Request">What it asked, cut to the uids whose entries are in these facts.</param>
    /// <param name="FirstFact">The first fact to read.</param>
    /// <param name="LastFact">The last fact to read.</param>
    public sealed record ServeFromJournal(NodeId To, Fetch Request, long FirstFact, long LastFact) : Effect;

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
