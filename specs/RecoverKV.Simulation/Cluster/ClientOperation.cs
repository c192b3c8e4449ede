using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Simulation.Cluster;

/// <summary>An operation of a simulated client, over all its attempts.</summary>
internal sealed class ClientOperation(SimulatedClient client, TimeSpan start, long call)
{
    public SimulatedClient Client { get; } = client;

    public TimeSpan Start { get; } = start;

    /// <summary>Position in the order of all events.</summary>
    public long Call { get; } = call;

    public long Return { get; set; } = Operation.Never;

    /// <summary>Of a write: as it was sent last.</summary>
    public WriteRequest? Request { get; set; }

    /// <summary>Of a write of the library: the sessions and numbers that it has had.</summary>
    public List<(long Session, long Number)> Names { get; } = [];

    /// <summary>Of a write: where it stands in the order, as its client was told; 0 while it was not.</summary>
    public long Uid { get; set; }

    /// <summary>Whether it may change anything.</summary>
    public bool IsWrite => Actions?.Any(a => a.Kind != ActionKind.Get) ?? false;

    /// <summary>Its client says that nothing was changed by it.</summary>
    public bool WasNotDone { get; set; }

    /// <summary>Of a read.</summary>
    public Read Read { get; set; }

    /// <summary>Of a scan.</summary>
    public ScanRequest? Scan { get; set; }

    public ReadConsistency Consistency { get; set; }

    /// <summary>What the history says of it; null for what is not part of the history.</summary>
    public KeyAction[]? Actions { get; set; }

    public Outcome Outcome { get; set; }

    public bool IsOpen { get; set; } = true;

    public int Attempts { get; set; }

    /// <summary>Of an answered read: a point of the order at which the keys were as answered.</summary>
    public long? Point { get; set; }

    /// <summary>Everything up to this uid had been answered to somebody when the first attempt reached a node; -1
    /// before.</summary>
    public long Floor { get; set; } = -1;
}

/// <summary>One message of an operation: where the answer goes.</summary>
internal sealed class Attempt(ClientOperation operation, SimulatedNode node) : ICaller
{
    public ClientOperation Operation { get; } = operation;

    public Share Share { get; } = new();

    public SimulatedNode Node { get; } = node;

    /// <summary>Of a write.</summary>
    public WriteRequest? Request { get; init; }

    /// <summary>As of the operation, for this attempt.</summary>
    public long Floor { get; set; } = -1;

    /// <summary>As of the operation, for the last answer to this attempt.</summary>
    public long? Point { get; set; }
}
