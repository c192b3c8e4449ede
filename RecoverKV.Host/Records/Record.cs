namespace RecoverKV.Host.Records;

/// <summary>A key and its value, in memory of their own.</summary>
internal readonly record struct Record(byte[] Key, byte[] Value);

/// <summary>A record of an input, or why there is none at this place.</summary>
/// <param name="Line">The number of its first line, from 1.</param>
/// <param name="Record">The record, if <paramref name="Error"/> is null.</param>
/// <param name="Error">What is wrong with the line.</param>
internal readonly record struct InputRecord(long Line, Record Record, string? Error);
