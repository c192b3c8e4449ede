using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// What a message of another replica must keep to, whatever its sender is, before anything looks at it: numbers that
/// can be counted on from, ranges and batches that have a begin and an end in this order. The rules rely on it: none of
/// them checks for overflow. And what jumps ahead of all that this replica knows by more than can have happened is no
/// number of this store's: once promised, or taken for committed, it would leave no way back.
/// </summary>
/// <param name="known">The highest epoch that this replica has promised.</param>
/// <param name="held">The highest uid that it knows of.</param>
internal readonly struct WellFormed(Epoch known, Uid held)
{
    /// <summary>So many views are not made while a replica is away: one each millisecond for seven weeks.</summary>
    public const long EpochsAhead = 1L << 32;

    /// <summary>Nor so many uids given: a million each second for half a year.</summary>
    public const long UidsAhead = 1L << 44;

    /// <summary>Uids, epochs and rounds are below this, and so far from the end of their type that no sum of two
    /// overflows.</summary>
    public const long Most = 1L << 61;

    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(365 * 1000);

    /// <summary>Whether the message is one that a replica could have sent.</summary>
    public bool Check(PeerMessage message) => Is(message.Epoch) && message switch
    {
        Canvass m => Is(m.Handover) && Is(m.View),
        CanvassReply m => Is(m.Promised),
        RequestPromise m => Is(m.Handover),
        Promise m => Is(m.View) && Is(m.Contiguous) && Is(m.Committed),
        Refuse m => Is(m.Promised),
        Synchronize m => Is(m.Base) && Is(m.Target),
        Synchronized m => Is(m.Contiguous),
        InstallView m => Is(m.View),
        TailLost m => Is(m.Vouched),
        Append m => Is(m.Batch) && Is(m.Committed),
        Appended m => Is(m.Contiguous) && Is(m.Highest),
        Commit m => Is(m.Committed),
        Heartbeat m => Is(m.Round) && Is(m.Committed) && Is(m.LeaseFrom) && Is(m.Agreed),
        HeartbeatAck m => Is(m.Round) && Is(m.Clock) && Is(m.Contiguous) && Is(m.Highest) && Is(m.Mark),
        Fetch m => Is(m.Range),
        Compacted m => Is(m.Checkpoint),
        FetchState m => Is(m.At) && m.After is null or { Session: >= 0 and <= Most, Answers: >= 0 },
        StatePage m => m.Chunk is null || Is(m.Chunk.Totals),
        Entries m => m.Batches.Length <= Batch.MostRequests && All(m.Batches),
        _ => true,
    };

    private bool Is(DataMark mark) => Is(mark.At) && Is(mark.Round);

    private static bool Is(StateTotals totals) =>
        Is(totals.Revision) && Is(totals.Keys) && Is(totals.Sessions) && Is(totals.SessionBytes);

    private static bool Is(long number) => number is >= 0 and <= Most;

    private bool Is(Epoch epoch) => Is(epoch.Value) && epoch.Value - known.Value <= EpochsAhead;

    private bool Is(Uid uid) => Is(uid.Value) && uid.Value - held.Value <= UidsAhead;

    private static bool Is(TimeSpan time) => time >= -LongestTime && time <= LongestTime;

    private bool Is(UidRange range) => range.First.Value >= 1 && range.First <= range.Last && Is(range.Last);

    private bool All(Batch[] batches)
    {
        foreach (var batch in batches)
            if (!Is(batch)) return false;
        return true;
    }

    private bool Is(Batch batch)
    {
        if (!Is(batch.Epoch) || batch.First.Value < 1 || !Is(batch.First)) return false;
        if (batch.Requests.Count is 0 or > Batch.MostRequests) return false;
        for (var i = 0; i < batch.Requests.Count; i++)
            if (batch.Requests[i].Encoded.IsEmpty) return false;
        return true;
    }

    // Who is where in it is for the rules to judge.
    private bool Is(View view)
    {
        if (!Is(view.Epoch) || !Is(view.FirstUid) || !Is(view.TrimmedAt)) return false;
        if (view.Lease < TimeSpan.Zero || !Is(view.Lease) || view.FrameSize < 0) return false;
        for (var i = 0; i < view.History.Length; i++)
        {
            if (!Is(view.History[i].Epoch) || !Is(view.History[i].FirstUid)) return false;
            if (i > 0 && view.History[i].FirstUid <= view.History[i - 1].FirstUid) return false;
        }

        return true;
    }
}
