namespace RecoverKV.Actors.Protocol;

/// <summary>
/// Known mistakes that specs put back, to prove that they would be found. Nothing but specs can set them.
/// </summary>
[Flags]
internal enum Mutations
{
    None = 0,

    /// <summary>R5: reads are answered without a lease.</summary>
    NoLeaseCheck = 1 << 0,

    /// <summary>R5: a lease counts from when the heartbeat arrives.</summary>
    LeaseFromArrival = 1 << 1,

    /// <summary>R1, R3: messages of older epochs are taken.</summary>
    NoEpochGate = 1 << 2,

    /// <summary>R1: promises are not journalled.</summary>
    VotesForgotten = 1 << 3,

    /// <summary>R3: acknowledgements do not wait for the disk.</summary>
    AcknowledgeBeforeDurable = 1 << 4,

    /// <summary>R5: reads do not wait for uncommitted writes to their keys.</summary>
    PendingReadsServed = 1 << 5,

    /// <summary>R7: orphans stay in the log.</summary>
    OrphansKept = 1 << 6,

    /// <summary>R3: an orphan whose drop is not on disk counts in acknowledgements.</summary>
    OrphanAcknowledged = 1 << 7,

    /// <summary>R2: a synchronisation of an epoch that is already accepted is carried out.</summary>
    LateSynchronization = 1 << 8,

    /// <summary>R8: the in-sync set shrinks without the promises of a majority.</summary>
    ShrinkWithoutMajority = 1 << 9,

    /// <summary>R8: commits do not wait for the lease of a dropped member.</summary>
    NoWaitForLease = 1 << 10,

    /// <summary>R9: a new sequencer does not know which requests were executed.</summary>
    SessionsNotReplicated = 1 << 11,

    /// <summary>R11: a member whose disk lost its tail is trusted.</summary>
    AmnesiaTrusted = 1 << 12,

    /// <summary>R6: gaps beyond the committed uid are filled, from anybody and with whatever epoch.</summary>
    HealBeyondCommitted = 1 << 13,

    /// <summary>R1: a member that acknowledged a heartbeat promises another epoch at once.</summary>
    PromiseUnderLease = 1 << 14,

    /// <summary>R12: messages of another store are taken.</summary>
    AnyClusterTrusted = 1 << 15,

    /// <summary>R5: each node goes by its own setting of the lease.</summary>
    LeaseOfEachNode = 1 << 16,

    /// <summary>R8: a late copy of an earlier run's acknowledgement is taken for the present run's.</summary>
    OlderRunBelieved = 1 << 17,

    /// <summary>R7: the history of views is cut at what is committed, whoever lacks it.</summary>
    HistoryTrimmedTooFar = 1 << 18,

    /// <summary>R8: a member that is slow but not silent stays in-sync, and a slow sequencer leads on.</summary>
    SlowMemberKept = 1 << 19,

    /// <summary>R11: what counts the facts beside the journal is not looked at.</summary>
    LossIgnored = 1 << 20,

    /// <summary>R10: a key that changes while a checkpoint is made is in it as it is then, not as it was at the
    /// checkpoint's uid.
    /// </summary>
    CaptureMovesOn = 1 << 21,

    /// <summary>R10: a checkpoint does not tell in which order sessions were used.</summary>
    SessionOrderLost = 1 << 22,

    /// <summary>R10: a checkpoint counts before the journal has the facts that it has seen.</summary>
    CheckpointBeforeJournal = 1 << 23,

    /// <summary>R10: what a checkpoint knows to be committed is applied while its log is still being
    /// replayed.</summary>
    CheckpointCommitsEarly = 1 << 24,

    /// <summary>R10: the journal forgets all that a checkpoint has seen, also what is not in it.</summary>
    CompactedTooFar = 1 << 25,

    /// <summary>R10: a replica that took a peer's state gives up what its log had beyond it.</summary>
    TransferWithoutTail = 1 << 26,

    /// <summary>What adds data is taken without a look at the room that there is.</summary>
    QuotaIgnored = 1 << 27,
}

public sealed partial class ReplicaCore
{
    internal Mutations Mutations { get; init; }

    // With OrphanAcknowledged: how far this disk seemed to reach before the last drop, and the fact of that drop.
    private (Uid Contiguous, long Fact) _orphans;

    private bool Mutated(Mutations mistake) => (Mutations & mistake) != 0;

    private bool IsMajority(int count, int majority) => count >= majority
        || (Mutated(Mutations.ShrinkWithoutMajority) && count > 0 && (_leading ?? _campaign?.Former) != null);
}
