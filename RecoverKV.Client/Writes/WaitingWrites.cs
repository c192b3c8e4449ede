namespace RecoverKV.Client.Writes;

/// <summary>Writes without a number, in the order of their calls. Not thread-safe.</summary>
internal sealed class WaitingWrites
{
    private readonly Queue<PendingWrite> _calls = new();

    /// <summary>Those that had a number in a session that is gone: few, and older than the others.</summary>
    private readonly PriorityQueue<PendingWrite, long> _back = new();

    internal int Count => _calls.Count + _back.Count;

    internal PendingWrite? First =>
        _back.TryPeek(out var back, out _) || _calls.TryPeek(out back) ? back : null;

    /// <summary>A new call.</summary>
    internal void Add(PendingWrite write) => _calls.Enqueue(write);

    /// <summary>An older call comes back.</summary>
    internal void AddBack(PendingWrite write) => _back.Enqueue(write, write.Order);

    /// <summary>Takes the first out; null if there is none.</summary>
    internal PendingWrite? Take() =>
        _back.TryDequeue(out var first, out _) || _calls.TryDequeue(out first) ? first : null;
}
