using System.Globalization;
using RecoverKV.Client.Contracts;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>What the nodes that answer say of themselves, at about the same time.</summary>
internal sealed class Statuses(IReadOnlyDictionary<string, NodeStatus> byNode)
{
    public int Count => byNode.Count;

    public IEnumerable<NodeStatus> Values => byNode.Values;

    public NodeStatus? this[TestNode node] => byNode.GetValueOrDefault(node.Name);

    /// <summary>Whether a node says that it is ALIVE.</summary>
    public bool IsAlive(TestNode node) => this[node]?.Mode == NodeMode.Alive;

    public string Describe(string node) => byNode.TryGetValue(node, out var s)
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{s.Mode} epoch {s.Epoch} uid {s.Uid} committed {s.CommittedUid} gap {s.Gap} keys {s.Keys} "
            + $"sequencer {s.Sequencer ?? "none"} {s.Reason}")
        : "does not answer";
}
