namespace RecoverKV.Actors.Protocol;

/// <summary>R12: who speaks to whom, and for which store. It goes with every message between replicas.</summary>
/// <param name="From">The sending replica, with its disk.</param>
/// <param name="To">The node that is addressed, as the sender's configuration has it.</param>
/// <param name="Cluster">The sender's store; empty while it knows none.</param>
/// <param name="Settings">A fingerprint of the settings that must be equal on all nodes
/// (<see cref="ProtocolOptions.Agreed"/>).</param>
/// <param name="Version">The version of the form that the message has on the wire.</param>
public readonly record struct Header(
    MemberId From, NodeId To, Guid Cluster, ulong Settings, int Version = Header.CurrentVersion)
{
    /// <summary>The oldest form that is read. Forms before it had no header.</summary>
    public const int OldestVersion = 2;

    /// <summary>The form that is written.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Whether the rest of the message can be read.</summary>
    public bool IsReadable => Version is >= OldestVersion and <= CurrentVersion;
}

/// <summary>A setting that must be equal on all nodes, as an operator wrote it.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Value">Its value, in one form.</param>
public readonly record struct Setting(string Name, string Value);
