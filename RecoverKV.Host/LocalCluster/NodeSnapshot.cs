using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.LocalCluster;

/// <summary>What is known of a node of the local cluster at one moment.</summary>
internal sealed record NodeSnapshot
{
    /// <summary>Its node id.</summary>
    public required string Id { get; init; }

    /// <summary>Its address.</summary>
    public required string Address { get; init; }

    /// <summary>Its process, 0 if none runs.</summary>
    public required int Pid { get; init; }

    /// <summary>What it may do.</summary>
    public required NodeMode Mode { get; init; }

    /// <summary>What it says of itself; null if it said nothing.</summary>
    public NodeStatus? Status { get; init; }

    /// <summary>What it says is wrong with it, else its last error unless it is well.</summary>
    public string? Error { get; init; }

    /// <summary>Puts together what the process and the node say.</summary>
    public static NodeSnapshot Of(LocalNode node, NodeProcess process, NodeStatus? status)
    {
        // The answer of a node that was killed just now is about a process that is no more.
        var live = status is { Mode: not NodeMode.Dead } && status.ProcessId == process.Pid ? status : null;
        var mode = live?.Mode ?? NodeMode.Dead;
        return new NodeSnapshot
        {
            Id = node.Id,
            Address = node.Address,
            Pid = process.Pid,
            Mode = mode,
            Status = live,
            Error = live?.Reason ?? (mode is NodeMode.Alive or NodeMode.Ready ? null : process.LastError),
        };
    }
}
