namespace RecoverKV.Client.Contracts;

/// <summary>What a read promises (R5).</summary>
public enum ReadConsistency
{
    /// <summary>Sees every write that was acknowledged, and every value that was read, before it began.</summary>
    Linearizable = 0,

    /// <summary>Sees what the node has applied, however old; the answer bounds its age.</summary>
    Stale = 1,

    /// <summary>Linearizable if the node may answer so. Else, where <c>recoverkv.on-partition = available</c>, a node
    /// that reaches no peer answers with what it has; such an answer is marked by an age that is not zero. Not for
    /// scans.</summary>
    Available = 2,
}

/// <summary>One read of one or several keys, which are all read at the same point of the order of writes.</summary>
/// <param name="Id">Chosen by the client, unique among its open requests; the answer carries it.</param>
/// <param name="Keys">At least one.</param>
public readonly record struct Read(long Id, IReadOnlyList<Key> Keys);

/// <summary>Reads that a client gathered into one message.</summary>
/// <param name="Consistency">What each of them promises.</param>
/// <param name="Reads">At least one; together below the frame size.</param>
/// <param name="Cluster">R12: the store that they are for; empty while the client knows no id of it.</param>
public sealed record ReadBatch(ReadConsistency Consistency, IReadOnlyList<Read> Reads, Guid Cluster = default)
    : IClientMessage;

/// <summary>How a read ended.</summary>
public enum ReadStatus
{
    /// <summary>Answered.</summary>
    Done = 0,

    /// <summary>This node may not answer now; ask another one of the accompanying view.</summary>
    NotAlive = 1,

    /// <summary>Too many reads wait here. Try again after a while, or elsewhere.</summary>
    Busy = 2,

    /// <summary>The request breaks a limit, as the text says.</summary>
    Invalid = 3,

    /// <summary>A scan's cursor is none of this build's; the scan must start over.</summary>
    CursorLost = 4,

    /// <summary>R12: the request is for another store than that of this node, as the accompanying view says.</summary>
    OtherStore = 5,
}

/// <summary>The answer to one read.</summary>
/// <param name="Id">The id of the read.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Versions">For each key its version, null if absent; empty unless done.</param>
/// <param name="AgeMilliseconds">
/// 0 for a linearizable read. Else an upper bound of how old the state may be, from the node's last
/// word of the sequencer; -1 if it has had none since it started.
/// </param>
/// <param name="Text">What is wrong with the request, if <see cref="ReadStatus.Invalid"/>.</param>
public sealed record ReadAnswer(
    long Id, ReadStatus Status, IReadOnlyList<Version?> Versions, long AgeMilliseconds = 0, string? Text = null);

/// <summary>Answers to reads of one client, of one or several of its batches.</summary>
/// <param name="Answers">At least one.</param>
/// <param name="View">Where to go instead, when an answer says <see cref="ReadStatus.NotAlive"/>, and whose store it
/// is, when one says <see cref="ReadStatus.OtherStore"/>.</param>
public sealed record ReadReplies(IReadOnlyList<ReadAnswer> Answers, ClusterView? View = null) : IClientMessage;

/// <summary>
/// Asks for a page of the keys of a range, in their order. Each page is of one point of the order of writes,
/// linearizable or stale as a read is; pages are of different points. A key that is there during the whole scan comes
/// exactly once; one that is written or deleted meanwhile may come with either state.
/// </summary>
/// <param name="Id">Chosen by the client; the answer carries it.</param>
/// <param name="Consistency">What each page promises.</param>
/// <param name="Cursor">Empty for the first page, then what the page before gave. Good on every node.</param>
/// <param name="MaxItems">No more items than this; the node may send fewer.</param>
/// <param name="Cluster">R12: the store that it is for; empty while the client knows no id of it.</param>
/// <param name="Range">Which keys; the same for each page.</param>
/// <param name="Reverse">Whether the last key comes first; the same for each page.</param>
public sealed record ScanRequest(
    long Id, ReadConsistency Consistency, ReadOnlyMemory<byte> Cursor, int MaxItems, Guid Cluster = default,
    KeyRange Range = default, bool Reverse = false)
    : IClientMessage;

/// <summary>One key and its version.</summary>
public readonly record struct ScanItem(Key Key, Version Version);

/// <summary>A page of a scan.</summary>
/// <param name="Id">The id of the request.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Items">In the order of the keys' bytes, or the other way round.</param>
/// <param name="Next">The cursor of the next page; empty at the end.</param>
/// <param name="View">Where to go instead, with <see cref="ReadStatus.NotAlive"/>, and whose store it is, with
/// <see cref="ReadStatus.OtherStore"/>.</param>
/// <param name="Text">What is wrong, if <see cref="ReadStatus.Invalid"/>.</param>
/// <param name="Uid">The point in the order of writes that it shows; 0 unless done, and from builds that did not
/// tell.</param>
public sealed record ScanReply(
    long Id, ReadStatus Status, IReadOnlyList<ScanItem> Items, ReadOnlyMemory<byte> Next, ClusterView? View = null,
    string? Text = null, long Uid = 0) : IClientMessage;
