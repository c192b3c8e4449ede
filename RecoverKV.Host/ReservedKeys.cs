using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host;

/// <summary>
/// Keys that the program keeps for itself among those of its users. They begin with a NUL, which no key of the
/// original's clients has, and are in the store because they need all that the store gives: every endpoint sees them,
/// and they survive whatever the data survives. They are no user's data: dumps leave them out, and the gRPC endpoint
/// and the client library refuse to write them for anybody else.
/// </summary>
internal static class ReservedKeys
{
    /// <summary>Never written: a read of it shows whether reads are served.</summary>
    public static Key Probe { get; } = new("\0grpc-probe");

    /// <summary>The record of a client of the gRPC endpoint.</summary>
    public static Key OfClient(string id) => new($"\0grpc-client/{id}");

    /// <summary>Whether a key is one of them.</summary>
    public static bool Holds(Key key) => ReservedPrefix.Begins(key);

    /// <summary>Whether one of them may be in the range: they come before all others that a user can write by
    /// words.</summary>
    public static bool MayBeIn(KeyRange range) => range.From.IsEmpty || range.From.Span[0] == 0;

    /// <summary>The items of users, no more than <paramref name="limit"/>.</summary>
    public static async IAsyncEnumerable<ScanItem> LeaveOut(
        IAsyncEnumerable<ScanItem> items, long limit = long.MaxValue)
    {
        if (limit <= 0) yield break;
        await foreach (var item in items)
        {
            if (Holds(item.Key)) continue;
            yield return item;
            if (--limit == 0) yield break;
        }
    }
}
