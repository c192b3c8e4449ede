using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>R5: what a read or a scan takes while it waits for a write, in memory of its own. Stateless.</summary>
internal static class WaitingQuestion
{
    // Roughly what it takes besides its keys, and each key besides its bytes.
    private const int Overhead = 128, KeyOverhead = 64;

    /// <summary>Roughly its bytes.</summary>
    public static long Bytes(Read read)
    {
        long bytes = Overhead;
        foreach (var key in read.Keys) bytes += KeyOverhead + key.Length;
        return bytes;
    }

    /// <summary>Roughly its bytes.</summary>
    public static long Bytes(ScanRequest request) =>
        Overhead + request.Cursor.Length + request.Range.From.Length + (request.Range.To?.Length ?? 0);

    /// <summary>The same, apart from the message that it came with.</summary>
    public static Read Detach(Read read)
    {
        var keys = new Key[read.Keys.Count];
        for (var i = 0; i < keys.Length; i++) keys[i] = read.Keys[i].Detach();
        return read with { Keys = keys };
    }

    /// <summary>The same, apart from the message that it came with.</summary>
    public static ScanRequest Detach(ScanRequest request) =>
        request with { Cursor = request.Cursor.ToArray(), Range = request.Range.Detach() };
}
