using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Serialization;

/// <summary>How a message travels between replicas.</summary>
/// <param name="Header">Who speaks to whom (R12).</param>
/// <param name="Message">What it says.</param>
public sealed record PeerEnvelope(Header Header, PeerMessage Message);
