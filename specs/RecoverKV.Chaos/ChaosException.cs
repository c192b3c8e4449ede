namespace RecoverKV.Chaos;

/// <summary>The run cannot go on: something about the machine or the arguments, not about the store.</summary>
public sealed class ChaosException(string message) : Exception(message);
