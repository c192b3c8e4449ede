using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Client;

namespace RecoverKV.Host;

/// <summary>The program was called in a way that it cannot serve; the message is for the person who called it.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>A command could not do its work for a reason of its own (not the store's).</summary>
internal sealed class CommandFailedException(string message) : Exception(message);

/// <summary>The one place where a failure becomes an exit code and one line.</summary>
internal static class Failures
{
    /// <summary>Begins every line that tells of a failure.</summary>
    public const string Prefix = "recoverkv: ";

    /// <summary>The exit code of a failure.</summary>
    public static int CodeOf(Exception failure) => failure switch
    {
        UsageException or InvalidRequestException or InvalidSettingsException => ExitCode.Usage,
        OutcomeUnknownException => ExitCode.Unknown,
        _ => ExitCode.NotDone,
    };

    /// <summary>What to tell the person: one line, without a stack trace.</summary>
    public static string Describe(Exception failure) => OneLine(failure switch
    {
        InvalidRequestException => $"invalid request: {failure.Message}",
        NotDoneException => $"not done: {failure.Message}",
        OutcomeUnknownException => $"outcome unknown: {failure.Message}",
        RecoverKvException or NodeFailedException or UsageException or CommandFailedException => failure.Message,
        OperationCanceledException => "interrupted",
        IOException or UnauthorizedAccessException => failure.Message,
        _ => $"unexpected {failure.GetType().Name}: {failure.Message}",
    });

    /// <summary>A text as a single line, without what would upset a terminal.</summary>
    public static string OneLine(string text)
    {
        var words = text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var line = string.Join(' ', words);
        return line.Any(char.IsControl) ? new string([.. line.Select(c => char.IsControl(c) ? '?' : c)]) : line;
    }
}
