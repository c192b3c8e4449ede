using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>R12: sessions, values and cursors of one store mean nothing in another. A client names the store that it
/// found, and what it wants of another one is refused as a whole: nothing of it may be executed or read.</summary>
internal static class OtherStore
{
    /// <summary>The answer to requests for another store; null if they are for this one, or either side knows no id.
    /// </summary>
    /// <param name="message">Any message of a client.</param>
    /// <param name="own">The store of this node; empty while it has none.</param>
    /// <param name="view">Says whose store this node is of.</param>
    public static IClientMessage? Refusal(object message, Guid own, Func<ClusterView> view)
    {
        var wanted = message switch
        {
            WriteBatch writes => writes.Cluster,
            ReadBatch reads => reads.Cluster,
            ScanRequest scan => scan.Cluster,
            _ => Guid.Empty,
        };
        if (wanted == own || wanted == Guid.Empty || own == Guid.Empty) return null;
        return message switch
        {
            WriteBatch writes => new WriteReplies([.. writes.Requests.Select(Refused)], view()),
            ReadBatch reads => new ReadReplies([.. reads.Reads.Select(Refused)], view()),
            ScanRequest scan => new ScanReply(scan.Id, ReadStatus.OtherStore, [], default, view()),
            _ => null,
        };
    }

    private static WriteAnswer Refused(WriteRequest write) =>
        new(write.Session, write.Number, WriteStatus.OtherStore, 0, []);

    private static ReadAnswer Refused(Read read) => new(read.Id, ReadStatus.OtherStore, []);
}
