namespace RecoverKV.Actors.Protocol;

/// <summary>What a replica has no room in for more data.</summary>
[Flags]
public enum Lack
{
    /// <summary>There is room.</summary>
    None = 0,

    /// <summary>Its memory: <see cref="ProtocolOptions.MemoryQuota"/>.</summary>
    Memory = 1,

    /// <summary>Its disk, as its host says.</summary>
    Disk = 2,
}

// Room: what adds data is taken only while every in-sync member has room for it. It is refused before it has a uid, so
// that no replica must agree on it; all that has one is stored and applied. Deletions are taken always: they make room.
public sealed partial class ReplicaCore
{
    private string? _diskFull;

    /// <summary>Whether this replica's disk has room for more data.</summary>
    /// <param name="now">The local clock.</param>
    /// <param name="full">Why it has none, in a few words; null if it has.</param>
    public void DiskRoom(TimeSpan now, string? full)
    {
        if (_stopped) return;
        _now = now;
        _diskFull = full;
        Settle();
    }

    /// <summary>Whether the host has said that its disk has no room.</summary>
    internal bool IsDiskFull => _diskFull != null;

    private Lack Lacks =>
        (_state.Bytes >= _options.MemoryQuota ? Lack.Memory : Lack.None) | (_diskFull != null ? Lack.Disk : Lack.None);

    // Why this sequencer cannot take what needs so much room; null if it can. What is under way counts as if all of it
    // was new: so the state never needs more than the quota, where all members have the same one.
    private string? Full(long room)
    {
        if (room == 0 || Mutated(Mutations.QuotaIgnored)) return null;
        if (_diskFull is { } disk) return $"the disk of {_self.Node} is full: {disk}";
        if (_state.Bytes + _waiterRoom + room > _options.MemoryQuota) return NoMemory(_self.Node);
        if (_leading is not { } leading) return null;
        foreach (var follower in leading.Followers.Values)
        {
            if (follower.Lacks == Lack.None || !_view.IsInSync(follower.Member)) continue;
            return follower.Lacks.HasFlag(Lack.Disk)
                ? $"the disk of {follower.Member.Node} is full"
                : NoMemory(follower.Member.Node);
        }

        return null;
    }

    private static string NoMemory(NodeId node) => $"the memory of {node} is full (recoverkv.quota.memory)";

    // For the operator, also where something small would still be taken.
    private string? FullAlready =>
        _leading != null
            ? Full(Math.Max(1, _options.MemoryQuota / 64)) is { } full ? $"the store is full: {full}" : null
        : _diskFull != null ? $"has no room on its disk: {_diskFull}"
        : Lacks != Lack.None ? $"has no room: {NoMemory(_self.Node)}" : null;
}
