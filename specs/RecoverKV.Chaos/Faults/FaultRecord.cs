namespace RecoverKV.Chaos.Faults;

/// <summary>A fault that was injected, at moments of the monotonic clock in nanoseconds.</summary>
/// <param name="Kinds">One, or two at once.</param>
/// <param name="Detail">To whom.</param>
/// <param name="Injected">When it began.</param>
/// <param name="Healed">When it ended.</param>
/// <param name="Well">When all nodes were ALIVE again.</param>
internal sealed record FaultRecord(
    IReadOnlyList<FaultKind> Kinds, string Detail, long Injected, long Healed, long Well);
