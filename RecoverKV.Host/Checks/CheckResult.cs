namespace RecoverKV.Host.Checks;

/// <summary>How a check ended.</summary>
internal enum Verdict
{
    /// <summary>As with the original.</summary>
    Passed,

    /// <summary>Otherwise than with the original, and right for this store: it is consistent.</summary>
    Consistent,

    /// <summary>It needs what this store does not let it do.</summary>
    NotRun,

    /// <summary>Something is wrong.</summary>
    Failed,
}

/// <summary>One line of the table.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Verdict">How it ended.</param>
/// <param name="Seen">What was seen.</param>
internal sealed record CheckResult(string Name, Verdict Verdict, string Seen);
