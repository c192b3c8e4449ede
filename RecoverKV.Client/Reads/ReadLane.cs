using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>Reads of one kind on their way to one node. Guarded by the lock of the <see cref="ReadPipeline"/>.</summary>
internal sealed class ReadLane(NodeRoute route, ReadConsistency consistency)
{
    internal NodeRoute Route { get; } = route;

    internal ReadConsistency Consistency { get; } = consistency;

    /// <summary>Reads to send; those that meanwhile went elsewhere are passed over.</summary>
    internal Queue<PendingRead> Waiting { get; } = new();

    internal Flights Flights { get; } = new();

    /// <summary>Whether some thread is sending on it.</summary>
    internal bool Sending { get; set; }
}
