namespace RecoverKV.Actors.Configuration;

/// <summary>R10: how much is applied between two checkpoints, whichever comes first.</summary>
/// <param name="Writes">So many writes.</param>
/// <param name="Bytes">So many bytes of them.</param>
public sealed record CheckpointSettings(long Writes, long Bytes);
