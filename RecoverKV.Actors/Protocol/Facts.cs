using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// Consecutive entries of one epoch: the request at index <c>i</c> has the uid <c>First + i</c>. An entry is known by
/// (uid, epoch): one sequencer per epoch assigns a uid at most once.
/// </summary>
public sealed record Batch(Epoch Epoch, Uid First, IReadOnlyList<WriteRequest> Requests)
{
    /// <summary>The most requests of one batch, whatever the settings say.</summary>
    public const int MostRequests = 64 * 1024;

    /// <summary>The most bytes that an entry takes in a message besides its request, if each has a batch of its own.
    /// </summary>
    public const int EntryOverhead = 32;

    /// <summary>The uid of the last entry.</summary>
    public Uid Last => First + (Requests.Count - 1);
}

/// <summary>
/// What a replica has on disk, in order; everything else is rebuilt from it. The fact number, from 1, is the journal's
/// sequence number.
/// </summary>
public abstract record Fact;

/// <summary>R1: this replica promised <paramref name="Epoch"/> to <paramref name="Candidate"/>, and no lower one any
/// more.</summary>
public sealed record Promised(Epoch Epoch, NodeId Candidate) : Fact;

/// <summary>R2, R7: the replica accepted a view, which also promises its epoch to its sequencer, and dropped the
/// entries that are not part of the view's log.</summary>
/// <param name="View">The view.</param>
/// <param name="Dropped">Uids of the orphans; ascending, may be empty.</param>
/// <param name="Committed">The committed uid known by then.</param>
public sealed record ViewAccepted(View View, UidRange[] Dropped, Uid Committed) : Fact;

/// <summary>R3, R6: entries, from the sequencer or a peer.</summary>
/// <param name="Batch">The entries.</param>
/// <param name="Committed">The committed uid known by then.</param>
public sealed record EntriesAppended(Batch Batch, Uid Committed) : Fact;

/// <summary>R2, R7: entries that are no part of the log of an election's donor.</summary>
public sealed record OrphansDropped(UidRange[] Dropped) : Fact;
