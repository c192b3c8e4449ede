using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// A message between replicas. It comes with a <see cref="Header"/>, which tells the sender. Messages may be lost,
/// repeated, delayed and reordered; every one but <see cref="Hello"/> bears the epoch that it speaks for.
/// </summary>
public abstract record PeerMessage(Epoch Epoch);

/// <summary>R12: what this node's settings are. Told to a peer whose messages are refused, so that both sides can name
/// the difference; it bears no epoch. Read by every version from 2 on.</summary>
/// <param name="Settings">Those that must be equal on all nodes.</param>
public sealed record Hello(Setting[] Settings) : PeerMessage(Epoch.Zero);

/// <summary>R12: stands for a message of a version that this build does not know. Never sent.</summary>
public sealed record Unreadable() : PeerMessage(Epoch.Zero);

// ---- R1, R8: control messages, serialized by Hyperion

/// <summary>R1: would you promise this epoch? Asked before a campaign; changes nothing.</summary>
/// <param name="Epoch">The epoch of the campaign that may follow.</param>
/// <param name="Handover">See <see cref="RequestPromise"/>.</param>
/// <param name="View">The epoch of the accepted view of the one that asks; zero before the first.</param>
public sealed record Canvass(Epoch Epoch, Epoch Handover, Epoch View) : PeerMessage(Epoch);

/// <summary>The answer to a <see cref="Canvass"/>.</summary>
/// <param name="Epoch">The epoch asked for.</param>
/// <param name="Would">Whether a promise would be granted now.</param>
/// <param name="Promised">The highest epoch that the answering replica has promised.</param>
public sealed record CanvassReply(Epoch Epoch, bool Would, Epoch Promised) : PeerMessage(Epoch);

/// <summary>R1: promise me this epoch.</summary>
/// <param name="Epoch">The epoch of the new view.</param>
/// <param name="Handover">The epoch of the view whose sequencer handed over to the candidate, who then stands in for
/// it; zero otherwise.</param>
public sealed record RequestPromise(Epoch Epoch, Epoch Handover) : PeerMessage(Epoch);

/// <summary>R1: the promise is on disk.</summary>
/// <param name="Epoch">The epoch promised.</param>
/// <param name="View">The accepted view of the promiser.</param>
/// <param name="Contiguous">It has every uid up to this one on disk, as part of that view's log.</param>
/// <param name="Committed">The highest committed uid that it knows of.</param>
public sealed record Promise(Epoch Epoch, View View, Uid Contiguous, Uid Committed) : PeerMessage(Epoch);

/// <summary>A message of <paramref name="Epoch"/> met a replica that has promised a higher one.</summary>
public sealed record Refuse(Epoch Epoch, Epoch Promised) : PeerMessage(Epoch);

/// <summary>R8: the sequencer of this epoch leaves in good order, or is slow, and asks an in-sync member to
/// lead.</summary>
/// <param name="Epoch">The epoch of the sequencer's view.</param>
/// <param name="Slow">It stays, but is slow: the set should not have it back at once.</param>
public sealed record Handover(Epoch Epoch, bool Slow = false) : PeerMessage(Epoch);

// ---- R2, R8, R11: control messages, too

/// <summary>R2: bring your log to exactly <paramref name="Target"/> of the donor's log, for the view to come.</summary>
/// <param name="Epoch">The epoch that was promised.</param>
/// <param name="Base">The newest accepted view among the promisers, whose history the log follows.</param>
/// <param name="Target">The last uid of the donor's log.</param>
/// <param name="Donor">Who has the entries.</param>
public sealed record Synchronize(Epoch Epoch, View Base, Uid Target, NodeId Donor) : PeerMessage(Epoch);

/// <summary>R2: how far the synchronisation has come; it is complete at the target.</summary>
public sealed record Synchronized(Epoch Epoch, Uid Contiguous) : PeerMessage(Epoch);

/// <summary>R2: accept this view. Also sent to a replica that turns out to have missed it.</summary>
public sealed record InstallView(View View) : PeerMessage(View.Epoch);

/// <summary>R2: the view of this epoch is accepted, on disk.</summary>
public sealed record AcceptedView(Epoch Epoch) : PeerMessage(Epoch);

/// <summary>A heartbeat or append of <paramref name="Epoch"/> met a replica that has not accepted that view.</summary>
public sealed record ViewWanted(Epoch Epoch) : PeerMessage(Epoch);

/// <summary>R11: <paramref name="Member"/> vouched for everything up to <paramref name="Vouched"/>, and no longer has
/// it.</summary>
public sealed record TailLost(Epoch Epoch, MemberId Member, Uid Vouched) : PeerMessage(Epoch);

/// <summary>R8: a member leaves in good order. This run of it has given its lease back: it answers no more
/// reads.</summary>
public sealed record Leaving(Epoch Epoch, long Run) : PeerMessage(Epoch);

// ---- R3-R6: the data path, with schema codecs

/// <summary>R3: entries from the sequencer.</summary>
public sealed record Append(Epoch Epoch, Batch Batch, Uid Committed) : PeerMessage(Epoch);

/// <summary>R3: the replica has every uid up to <paramref name="Contiguous"/> of the accepted view's log on
/// disk.</summary>
/// <param name="Epoch">The epoch of the accepted view.</param>
/// <param name="Contiguous">Up to here without a gap.</param>
/// <param name="Highest">The highest uid on disk; above <paramref name="Contiguous"/> there is a gap between.</param>
public sealed record Appended(Epoch Epoch, Uid Contiguous, Uid Highest) : PeerMessage(Epoch);

/// <summary>R4: the committed uid, sent when no batch carries it soon.</summary>
public sealed record Commit(Epoch Epoch, Uid Committed) : PeerMessage(Epoch);

/// <summary>R5: the sequencer's sign of life, and leases.</summary>
/// <param name="Epoch">The epoch of the view.</param>
/// <param name="Round">Number of the heartbeat round.</param>
/// <param name="Committed">The committed uid.</param>
/// <param name="LeaseRun">The run of the receiver that sent the clock reading, 0 if none is echoed.</param>
/// <param name="LeaseFrom">The receiver's own clock reading from which its lease counts.</param>
/// <param name="Agreed">The data that most have, if somebody's differs.</param>
/// <param name="Slice">Of which part of the data the digest is to be told, too; null: of none.</param>
public sealed record Heartbeat(
    Epoch Epoch, long Round, Uid Committed, long LeaseRun, TimeSpan LeaseFrom, DataMark Agreed = default,
    StateSlice? Slice = null)
    : PeerMessage(Epoch);

/// <summary>R5: the acknowledgement of a heartbeat; with it the sender promises no other epoch for a lease
/// time.</summary>
/// <param name="Epoch">The epoch of the view.</param>
/// <param name="Round">The round acknowledged.</param>
/// <param name="Run">A random number of this run of the process: clocks of different runs must not be mixed.</param>
/// <param name="Clock">The sender's own clock.</param>
/// <param name="Contiguous">As in <see cref="Appended"/>.</param>
/// <param name="Highest">As in <see cref="Appended"/>.</param>
/// <param name="CutOff">The sender lacks entries and may ask nobody for them (a test's partition).</param>
/// <param name="TicksLate">R8: in how many percent of the last window the sender's ticks came late.</param>
/// <param name="Lacks">What the sender has no room in for more data.</param>
/// <param name="Mark">The sender's data at the committed uid of a heartbeat.</param>
public sealed record HeartbeatAck(
    Epoch Epoch, long Round, long Run, TimeSpan Clock, Uid Contiguous, Uid Highest, bool CutOff = false,
    int TicksLate = 0, Lack Lacks = Lack.None, DataMark Mark = default)
    : PeerMessage(Epoch);

/// <summary>R6: send me the entries of this range.</summary>
/// <param name="Epoch">The epoch that the asking replica has promised.</param>
/// <param name="Id">Comes back with the entries.</param>
/// <param name="Range">Within what the asked replica holds.</param>
public sealed record Fetch(Epoch Epoch, long Id, UidRange Range) : PeerMessage(Epoch);

/// <summary>R6: entries of the range asked for, in order, from its first on; maybe not all, when they are many, and
/// none when the peer does not have them.</summary>
/// <param name="Epoch">The epoch of the request.</param>
/// <param name="Id">The id of the request.</param>
/// <param name="Batches">Consecutive entries, one batch for each run of one epoch.</param>
public sealed record Entries(Epoch Epoch, long Id, Batch[] Batches) : PeerMessage(Epoch);

// ---- R10: the state, for who lacks entries that no log has any more, with schema codecs

/// <summary>R10: instead of <see cref="Entries"/>: the first of them are in the state only. The checkpoint has all of
/// them.</summary>
/// <param name="Epoch">The epoch of the request.</param>
/// <param name="Id">The id of the request.</param>
/// <param name="Checkpoint">The uid that the peer's checkpoint shows.</param>
public sealed record Compacted(Epoch Epoch, long Id, Uid Checkpoint) : PeerMessage(Epoch);

/// <summary>R10: send me the next part of your checkpoint.</summary>
/// <param name="Epoch">The epoch that the asking replica has promised.</param>
/// <param name="Id">Comes back with the answer.</param>
/// <param name="At">The uid of the checkpoint.</param>
/// <param name="After">Where the part before ended; null for the first.</param>
internal sealed record FetchState(Epoch Epoch, long Id, Uid At, StateCursor? After) : PeerMessage(Epoch);

/// <summary>R10: a part of a checkpoint.</summary>
/// <param name="Epoch">The epoch of the request.</param>
/// <param name="Id">The id of the request.</param>
/// <param name="Chunk">The part; null if the checkpoint is of another uid by now.</param>
internal sealed record StatePage(Epoch Epoch, long Id, StateChunk? Chunk) : PeerMessage(Epoch);
