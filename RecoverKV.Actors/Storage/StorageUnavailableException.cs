namespace RecoverKV.Actors.Storage;

/// <summary>The data folder cannot be used at the moment, though nothing is wrong with it: the disk is full, or
/// somebody else has locked the journal.</summary>
internal sealed class StorageUnavailableException(string message, Exception inner)
    : NodeFailedException(message, inner);
