namespace RecoverKV.Actors.Storage;

/// <summary>The journal tells its replica why facts do not get to the disk for now; they wait, and are tried
/// again.</summary>
/// <param name="What">What is wrong, in a few words; null when it is over.</param>
internal sealed record JournalTrouble(string? What);
