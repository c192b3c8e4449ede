namespace RecoverKV.Client.Contracts;

/// <summary>What one operation of a write does to its key.</summary>
public enum OperationKind
{
    /// <summary>Stores the value.</summary>
    Put = 0,

    /// <summary>Removes the key; no effect if it is absent.</summary>
    Delete = 1,

    /// <summary>Changes nothing; only its condition counts.</summary>
    Check = 2,
}

/// <summary>One operation of an atomic write.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Key">Its key.</param>
/// <param name="Value">The value to store; empty unless <see cref="OperationKind.Put"/>.</param>
/// <param name="ExpectedUid">
/// The condition: the uid of the version that the key must have now, 0 if it must be absent, null for no condition.
/// If the condition of any operation fails, the whole write changes nothing.
/// </param>
public readonly record struct WriteOperation(
    OperationKind Kind, Key Key, ReadOnlyMemory<byte> Value, long? ExpectedUid = null);

/// <summary>
/// A write as it is numbered, journalled and applied (R3, R9). <see cref="Encoded"/> is its wire form, which every
/// node passes on unchanged.
/// </summary>
/// <remarks>
/// <see cref="Session"/> is the uid of the entry that opened the session; 0 opens a new one, and
/// <see cref="Number"/> is then a random value that lets the answer find its request.
/// </remarks>
public sealed class WriteRequest
{
    /// <summary>The session, or 0 to open one.</summary>
    public required long Session { get; init; }

    /// <summary>The number of the request within its session, from 1.</summary>
    public required long Number { get; init; }

    /// <summary>The client needs no answer to requests with numbers below this.</summary>
    public required long LowWater { get; init; }

    /// <summary>The operations, applied together or not at all; empty when a session is opened.</summary>
    public required IReadOnlyList<WriteOperation> Operations { get; init; }

    /// <summary>Whether the answer shall have the versions before the write.</summary>
    public bool ReturnPrevious { get; init; }

    /// <summary>The wire form of all of the above (message <c>WriteRequest</c> of recoverkv.proto).</summary>
    public required ReadOnlyMemory<byte> Encoded { get; init; }
}

/// <summary>Requests that a client gathered into one message, in the order of their calls.</summary>
/// <param name="Requests">At least one; together below the frame size.</param>
/// <param name="Cluster">R12: the store that they are for; empty while the client knows no id of it.</param>
public sealed record WriteBatch(IReadOnlyList<WriteRequest> Requests, Guid Cluster = default) : IClientMessage;

/// <summary>How a write ended.</summary>
public enum WriteStatus
{
    /// <summary>Committed: on the disk of every in-sync replica.</summary>
    Done = 0,

    /// <summary>Committed as a write that changed nothing, because a condition did not hold.</summary>
    ConditionFailed = 1,

    /// <summary>The session was evicted or never existed; the request has not been and will not be executed now.
    /// Whether an earlier copy of it was executed is unknown.</summary>
    SessionUnknown = 2,

    /// <summary>The number is below the session's low-water mark: the client said that it needs no answer.</summary>
    Expired = 3,

    /// <summary>Not taken: too many requests wait, or what <see cref="WriteAnswer.Text"/> says. Try again after a
    /// while. A node says this at most once for each copy that it receives, so that a client can tell when no copy is
    /// left.</summary>
    Busy = 4,

    /// <summary>Not taken, or taken and lost sight of: this node does not lead. Ask the sequencer that the
    /// accompanying view names, under the same session and number.</summary>
    NotSequencer = 5,

    /// <summary>Not taken: the request breaks a limit, as <see cref="WriteAnswer.Text"/> says.</summary>
    Invalid = 6,

    /// <summary>R12: not taken: the batch is for another store than that of this node, as the accompanying view says.
    /// </summary>
    OtherStore = 7,

    /// <summary>Not taken: it would add data, and a replica that must have it has no room, as
    /// <see cref="WriteAnswer.Text"/> says. Deletions are taken. Said at most once for each copy, as
    /// <see cref="Busy"/>.</summary>
    Full = 8,
}

/// <summary>A version of a key: its value, and the uid of the write that stored it.</summary>
public sealed record Version(ReadOnlyMemory<byte> Value, long Uid);

/// <summary>The answer to one request.</summary>
/// <param name="Session">The session of the request (0 if it opened one).</param>
/// <param name="Number">The number of the request.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Uid">The uid of the write if it was committed (of an opened session: its id), else 0.</param>
/// <param name="Previous">
/// For each operation the version that the key had before the write (null: absent), if that was asked for and the write
/// committed; else empty.
/// </param>
/// <param name="Text">What is wrong with the request, if <see cref="WriteStatus.Invalid"/>; what keeps the store from
/// taking it, if <see cref="WriteStatus.Full"/>, or <see cref="WriteStatus.Busy"/> for another reason than too many
/// requests.</param>
/// <param name="PreviousOmitted">
/// The versions before the write were asked for and are not here: they do not fit one message, or were too large to be
/// kept for an answer that had to be given again.
/// </param>
public sealed record WriteAnswer(
    long Session, long Number, WriteStatus Status, long Uid, IReadOnlyList<Version?> Previous, string? Text = null,
    bool PreviousOmitted = false);

/// <summary>Answers to requests of one client, of one or several of its batches.</summary>
/// <param name="Answers">At least one.</param>
/// <param name="View">Where to go instead, when an answer says <see cref="WriteStatus.NotSequencer"/>, and whose store
/// it is, when one says <see cref="WriteStatus.OtherStore"/>.</param>
public sealed record WriteReplies(IReadOnlyList<WriteAnswer> Answers, ClusterView? View = null) : IClientMessage;
