using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Serialization;

/// <summary>How a message travels between replicas: with its sender.</summary>
/// <param name="From">The sending replica, with its disk.</param>
/// <param name="Message">What it says.</param>
public sealed record PeerEnvelope(MemberId From, PeerMessage Message);
