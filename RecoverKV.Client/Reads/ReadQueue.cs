using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>New reads of one kind, which any node may answer. Guarded by the lock of the
/// <see cref="ReadPipeline"/>.</summary>
internal sealed class ReadQueue
{
    internal ReadQueue(
        ReadConsistency consistency, Lock gate, Action<ReadQueue> send, Action<IThreadPoolWorkItem> later)
    {
        Consistency = consistency;
        Rush = new Rush(gate, () => New.Count, () => send(this), later);
    }

    internal ReadConsistency Consistency { get; }

    /// <summary>Reads that were sent to no node yet.</summary>
    internal Queue<PendingRead> New { get; } = new();

    internal Rush Rush { get; }

    /// <summary>Whether some thread is sending from it.</summary>
    internal bool Sending { get; set; }
}
