namespace RecoverKV.Host;

/// <summary>What the program's exit code says to a script.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The key is absent, a condition did not hold, or a check failed.</summary>
    public const int Negative = 1;

    /// <summary>Wrong usage: arguments, configuration, input, or a request that breaks a limit.</summary>
    public const int Usage = 2;

    /// <summary>Not done, and will not be.</summary>
    public const int NotDone = 3;

    /// <summary>A write may or may not have been done.</summary>
    public const int Unknown = 4;
}
