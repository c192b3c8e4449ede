namespace RecoverKV.Chaos.Moments;

/// <summary>Something was seen that must not be; the run ends.</summary>
internal sealed class MomentsViolationException(string message) : Exception(message);
