using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>A key as it stands in a checkpoint. The bytes never change.</summary>
internal readonly record struct KeyRecord(
    ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, long Uid, RecordFields Fields);

/// <summary>A session as it stands in a checkpoint.</summary>
/// <param name="Id">The uid that opened it.</param>
/// <param name="LowWater">Requests with lower numbers are not answered any more.</param>
/// <param name="Used">The uid of its last use: sessions are evicted in the order of these.</param>
/// <param name="Answers">The kept answers, ascending by their numbers.</param>
internal sealed record SessionRecord(long Id, long LowWater, long Used, WriteAnswer[] Answers)
{
    /// <summary>With the answers of another part of it, which may have come before.</summary>
    public SessionRecord With(SessionRecord part)
    {
        var last = Answers.Length == 0 ? long.MinValue : Answers[^1].Number;
        return this with { Answers = [.. Answers, .. part.Answers.Where(a => a.Number > last)] };
    }
}

/// <summary>A part of what a checkpoint changes: first what is gone, then what is there.</summary>
internal sealed class StatePart
{
    /// <summary>Keys that were deleted; one of them may be there again.</summary>
    public List<byte[]> Deleted { get; init; } = [];

    /// <summary>Keys that were put.</summary>
    public List<KeyRecord> Keys { get; } = [];

    /// <summary>Sessions that were evicted.</summary>
    public List<long> Ended { get; init; } = [];

    /// <summary>Sessions that were opened or used.</summary>
    public List<SessionRecord> Sessions { get; } = [];

    /// <summary>Roughly what its keys and sessions take.</summary>
    public long Bytes => Keys.Sum(k => (long)k.Key.Length + k.Value.Length)
        + Sessions.Sum(s => s.Answers.Sum(SessionTable.Size));
}
