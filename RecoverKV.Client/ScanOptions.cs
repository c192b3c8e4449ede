using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>Which keys a scan reads, and how.</summary>
public sealed record ScanOptions
{
    /// <summary>The keys to read; all of them by default.</summary>
    public KeyRange Range { get; init; }

    /// <summary>Whether the last key comes first.</summary>
    public bool Reverse { get; init; }

    /// <summary>No more items than this; null for no such bound.</summary>
    public long? Limit { get; init; }

    /// <summary>Goes on behind this key, in the direction of the scan: the last one that an earlier scan
    /// gave.</summary>
    public Key? After { get; init; }

    /// <summary>What each page promises; <see cref="ReadConsistency.Available"/> is not for scans.</summary>
    public ReadConsistency Consistency { get; init; }
}
