namespace RecoverKV.Actors.Configuration;

/// <summary>A setting is missing, unknown or makes no sense: one line with its path, what was found and what would be
/// right.</summary>
public sealed class InvalidSettingsException : NodeFailedException
{
    /// <summary>With a message of one line.</summary>
    public InvalidSettingsException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>What is wrong with the value of a key.</summary>
    public static InvalidSettingsException Of(string path, string found, string right) =>
        new($"{path} is {(found.Length == 0 ? "empty" : found)}: {right}.");
}
