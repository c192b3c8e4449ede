namespace RecoverKV.Actors.Storage;

/// <summary>Failures as an operator reads them.</summary>
internal static class Failures
{
    /// <summary>The message in one line, to which a sentence may be added.</summary>
    public static string OneLine(this Exception failure) => failure.Message.ReplaceLineEndings(" ").TrimEnd('.');
}
