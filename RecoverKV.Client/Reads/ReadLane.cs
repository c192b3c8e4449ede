using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>Reads of one kind on their way to one node. Guarded by the lock of the
/// <see cref="ReadPipeline"/>.</summary>
internal sealed class ReadLane(NodeRoute route, ReadConsistency consistency)
{
    internal NodeRoute Route { get; } = route;

    internal ReadConsistency Consistency { get; } = consistency;

    /// <summary>Reads that another node did not answer; those that meanwhile went elsewhere are passed over.</summary>
    internal Queue<PendingRead> Again { get; } = new();

    internal Flights Flights { get; } = new();

    /// <summary>The bytes of the answers that are expected.</summary>
    internal ByteWindow Window { get; } = new();
}
