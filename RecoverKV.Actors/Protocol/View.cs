namespace RecoverKV.Actors.Protocol;

/// <summary>From <paramref name="FirstUid"/> on, entries bear <paramref name="Epoch"/>, until the next
/// tenure.</summary>
public readonly record struct Tenure(Epoch Epoch, Uid FirstUid);

/// <summary>
/// Who leads, who must acknowledge, and where its uids begin (R2). Immutable: the arrays are never changed.
/// </summary>
/// <remarks>Invariants: InSync is a subset of Members and a majority of them; the history ascends in both parts and
/// ends with (Epoch, FirstUid).</remarks>
public sealed record View
{
    /// <summary>Its number.</summary>
    public required Epoch Epoch { get; init; }

    /// <summary>The one node that numbers writes in this epoch.</summary>
    public required NodeId Sequencer { get; init; }

    /// <summary>The replicas that vote; in the order of the configuration. Empty before the first view.</summary>
    public required MemberId[] Members { get; init; }

    /// <summary>The members that hold every committed write and must acknowledge each new one.</summary>
    public required NodeId[] InSync { get; init; }

    /// <summary>The first uid that this view assigns.</summary>
    public required Uid FirstUid { get; init; }

    /// <summary>Which epoch's entries the log of this view has at which uids.</summary>
    public required Tenure[] History { get; init; }

    /// <summary>R12: the store whose view it is: 128 random bits, made by the first view and handed on by every later
    /// one. Empty before the first view, and in views of builds that did not know it.</summary>
    public Guid Cluster { get; init; }

    /// <summary>R5: how long a member that acknowledged a heartbeat of this view promises no other epoch. Zero in views
    /// of builds that went by each node's own setting.</summary>
    public TimeSpan Lease { get; init; }

    /// <summary>The largest message, in bytes, that a node of this store has sent: it can be raised, not lowered. Zero
    /// in views of builds that did not keep it.</summary>
    public int FrameSize { get; init; }

    /// <summary>R7: the view in which every member had all uids below the history's first one, committed. A replica
    /// that has accepted this view or a later one has the right entries there; zero while the history is
    /// whole.</summary>
    public Epoch TrimmedAt { get; init; }

    /// <summary>The state before the first view: no member is recorded and no uid assigned.</summary>
    public static readonly View None = new()
    {
        Epoch = Epoch.Zero,
        Sequencer = NodeId.None,
        Members = [],
        InSync = [],
        FirstUid = new Uid(1),
        History = [],
    };

    /// <summary>More than half of the members.</summary>
    public int Majority => Members.Length / 2 + 1;

    /// <summary>Whether this replica, with this disk, votes.</summary>
    public bool HasMember(MemberId member) => Array.IndexOf(Members, member) >= 0;

    /// <summary>Whether this replica, with this disk, must acknowledge writes.</summary>
    public bool IsInSync(MemberId member) => HasMember(member) && Array.IndexOf(InSync, member.Node) >= 0;

    /// <summary>Whether two views of one epoch are of different histories.</summary>
    internal bool DiffersFrom(View other) => Sequencer != other.Sequencer || FirstUid != other.FirstUid
        || !InSync.SequenceEqual(other.InSync) || !Members.SequenceEqual(other.Members);

    /// <summary>The epoch that the entry at <paramref name="uid"/> has in this view's log.</summary>
    public Epoch EpochAt(Uid uid)
    {
        int low = 0, high = History.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (History[middle].FirstUid <= uid) low = middle + 1;
            else high = middle - 1;
        }

        return high < 0 ? Epoch.Zero : History[high].Epoch;
    }

    /// <summary>Every uid up to this one is committed, whatever becomes of this view: the history was cut
    /// there.</summary>
    public Uid CommittedBefore => History.Length > 0 ? History[0].FirstUid.Previous : Uid.Zero;

    /// <summary>Whether an entry of <paramref name="epoch"/> at <paramref name="uid"/> is part of this view's log, as
    /// far as the history says; below it every entry is that committed peers send.</summary>
    public bool Holds(Uid uid, Epoch epoch) => EpochAt(uid) is var held && (held == Epoch.Zero || held == epoch);

    /// <summary>The history of a view that follows this one and begins at <paramref name="first"/>. A tenure in
    /// which nothing remained is left out, and so are those that ended before <paramref name="trim"/>.</summary>
    public Tenure[] HistoryWith(Epoch epoch, Uid first, Uid trim)
    {
        Tenure[] all = [.. History.Where(t => t.FirstUid < first), new Tenure(epoch, first)];
        return all[Math.Max(0, Array.FindLastIndex(all, t => t.FirstUid <= trim))..];
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"view {Epoch} (sequencer {Sequencer}, in-sync {string.Join(' ', InSync)}, from uid {FirstUid})";
}
