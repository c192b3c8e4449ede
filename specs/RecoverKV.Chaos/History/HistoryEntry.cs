using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos.History;

/// <summary>One operation as its client saw it.</summary>
/// <param name="Client">The worker that called; it has one operation at a time.</param>
/// <param name="Call">When, in nanoseconds of the machine's monotonic clock, which all processes share.</param>
/// <param name="Return">When it ended; meaningless if the outcome is unknown.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Uid">Of a write with an answer; else 0.</param>
/// <param name="Actions">What it did to which keys.</param>
/// <param name="Seen">For each action the uid of the version observed, 0 for absent; null if the outcome is
/// unknown.</param>
public sealed record HistoryEntry(
    int Client, long Call, long Return, Outcome Outcome, long Uid, KeyAction[] Actions, long[]? Seen)
{
    public Operation ToOperation() =>
        new(Client, Call, Outcome == Outcome.Unknown ? Operation.Never : Return, Outcome, Actions);
}
