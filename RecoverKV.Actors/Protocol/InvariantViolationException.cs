namespace RecoverKV.Actors.Protocol;

/// <summary>
/// The replica's state contradicts the design. It must stop at once, before it acknowledges or answers anything more.
/// </summary>
public sealed class InvariantViolationException : Exception
{
    /// <summary>With what was found.</summary>
    public InvariantViolationException(string message) : base(message) { }
}
