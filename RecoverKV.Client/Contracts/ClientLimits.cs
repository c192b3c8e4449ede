namespace RecoverKV.Client.Contracts;

/// <summary>
/// Sizes that hold between any client and any node. A message beyond the frame is dropped by Akka.Remote with no more
/// than a log line, so both sides keep theirs below it by construction. Decoders refuse longer lists: a small frame
/// must not become a large heap.
/// </summary>
public static class ClientLimits
{
    /// <summary>Akka.Remote's <c>maximum-frame-size</c>, the same on clients and nodes.</summary>
    public const int FrameBytes = 4 * 1024 * 1024;

    /// <summary>The most that one message may take of a frame; the rest is for the addresses around it.</summary>
    public const int MessageBytes = FrameBytes - 64 * 1024;

    /// <summary>The most bytes of one write, all operations together.</summary>
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

    /// <summary>The most items of a page of a scan.</summary>
    public const int ScanItems = 16 * 1024;

    /// <summary>The most nodes of a cluster.</summary>
    public const int Nodes = 256;

    /// <summary>Adds to a list that is being decoded, unless it is at its limit.</summary>
    internal static void Add<T>(List<T> list, T item, int limit)
    {
        if (list.Count == limit) throw new FormatException($"The message is malformed: more than {limit} items.");
        list.Add(item);
    }
}
