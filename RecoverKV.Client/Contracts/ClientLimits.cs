namespace RecoverKV.Client.Contracts;

/// <summary>
/// Sizes that hold between any client and any node; DESIGN.md has all of them in a table. A message beyond the frame of
/// its receiver ends the connection, so both sides keep theirs below it by construction: nodes tell theirs in
/// <see cref="ClusterView"/>, clients take any that a node may have. Decoders refuse longer lists: a small frame must
/// not become a large heap.
/// </summary>
public static class ClientLimits
{
    /// <summary>The smallest frame that a node may have (<c>recoverkv.frame-size</c>).</summary>
    public const int FrameBytesLeast = 64 * 1024;

    /// <summary>The largest frame that a node may have, and the largest that a client takes.</summary>
    public const int FrameBytesMost = 64 * 1024 * 1024;

    /// <summary>The frame of nodes that do not say which they have: the default.</summary>
    public const int FrameBytes = 4 * 1024 * 1024;

    /// <summary>What of a frame no message takes: it is for what is around it, such as addresses between
    /// nodes.</summary>
    public const int FrameOverhead = 16 * 1024;

    /// <summary>The longest write of nodes that do not say which they take, all operations together.</summary>
    public const int WriteBytes = 2 * 1024 * 1024;

    /// <summary>The most operations of one write.</summary>
    public const int Operations = 1024;

    /// <summary>The most keys of one read.</summary>
    public const int KeysOfRead = 1024;

    /// <summary>The most requests, reads or answers in one message.</summary>
    public const int BatchItems = 4096;

    /// <summary>The most keys in one message of reads.</summary>
    public const int KeysOfBatch = 64 * 1024;

    /// <summary>The most operations in one message of writes.</summary>
    public const int OperationsOfBatch = 64 * 1024;

    /// <summary>The most items of a page of a scan that a client takes; nodes send fewer.</summary>
    public const int ScanItems = 16 * 1024;

    /// <summary>The most nodes of a cluster.</summary>
    public const int Nodes = 256;

    /// <summary>Adds to a list that is being decoded, unless it is at its limit.</summary>
    /// <exception cref="FormatException">It is at its limit.</exception>
    public static void Add<T>(List<T> list, T item, int limit)
    {
        if (list.Count == limit) throw new FormatException($"The message is malformed: more than {limit} items.");
        list.Add(item);
    }
}
