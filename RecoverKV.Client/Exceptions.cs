namespace RecoverKV.Client;

/// <summary>Any failure of a call. The message is one line that a person can act on.</summary>
public class RecoverKvException : Exception
{
    /// <summary>With a message of one line.</summary>
    public RecoverKvException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The call was not done, and will not be: nothing was changed.</summary>
public class NotDoneException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public NotDoneException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>Whether a node declined an order, rather than nobody being there to do it.</summary>
    internal bool Refused { get; init; }
}

/// <summary>The write would add data, for which a node has no room in its memory or on its disk; not done. Deletions
/// are done, and writes again when there is room.</summary>
public sealed class StoreFullException : NotDoneException
{
    /// <summary>With a message of one line.</summary>
    public StoreFullException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>
/// The write may or may not have been done, or may still be done: it may wait in the log for its commit. The client
/// does not send it any more.
/// </summary>
public sealed class OutcomeUnknownException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public OutcomeUnknownException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The request breaks a limit of the store (empty or oversized key, oversized value); not done.</summary>
public sealed class InvalidRequestException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public InvalidRequestException(string message, Exception? inner = null) : base(message, inner) { }
}
