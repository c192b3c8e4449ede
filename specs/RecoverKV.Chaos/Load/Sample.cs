using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos.Load;

/// <summary>The states of all nodes at a moment.</summary>
/// <param name="At">When they were asked.</param>
/// <param name="Nodes">As each says itself.</param>
internal sealed record Sample(long At, NodeSample[] Nodes);

/// <summary>The state of one node.</summary>
internal sealed record NodeSample(
    string Node, NodeMode Mode, long Epoch, bool IsSequencer, int Pid, long Applied, long Digest,
    string? Reason = null);
