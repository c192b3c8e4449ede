using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Reads and writes, and keeps what it was told: its part of the history.</summary>
internal abstract class SimulatedClient(int number)
{
    public int Number { get; } = number;

    public string Name { get; } = $"c{number}";

    /// <summary>All operations that belong to the history.</summary>
    public abstract IEnumerable<ClientOperation> History { get; }

    /// <summary>After <see cref="Finish"/>: every operation is answered, the last ones included.</summary>
    public abstract bool IsDone { get; }

    public abstract void Start();

    /// <summary>The faults are over: no new operations but a last write and read, and nothing is given up any
    /// more.</summary>
    public abstract void Finish();

    /// <summary>A node sends this answer.</summary>
    public abstract void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, WriteAnswer answer);

    /// <summary>A node sends this answer.</summary>
    public abstract void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ReadAnswer answer);

    /// <summary>A node sends this page.</summary>
    public abstract void Answer(SimulatedNode node, ReplicaCore core, Attempt attempt, ScanReply reply);

    /// <summary>A process has ended, with its connections.</summary>
    public virtual void Ended(SimulatedNode node) { }
}
