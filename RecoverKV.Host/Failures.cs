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

    /// <summary>A part of the program, or of .NET, is not there or cannot be opened.</summary>
    public const string CannotLoad =
        "a part of the program cannot be loaded: are there too many open files (ulimit -n)?";

    private const string TooManyFiles = "too many open files: raise the limit of this process (ulimit -n)";

    /// <summary>The exit code of a failure.</summary>
    public static int CodeOf(Exception failure) => failure switch
    {
        UsageException or InvalidRequestException or InvalidSettingsException => ExitCode.Usage,
        OutcomeUnknownException => ExitCode.Unknown,
        _ => ExitCode.NotDone,
    };

    /// <summary>What to tell the person: one line, without a stack trace.</summary>
    public static string Describe(Exception failure) => OneLine(Lack(failure) ?? failure switch
    {
        InvalidRequestException => $"invalid request: {failure.Message}",
        StoreFullException => $"store full: {failure.Message}",
        NotDoneException => $"not done: {failure.Message}",
        OutcomeUnknownException => $"outcome unknown: {failure.Message}",
        RecoverKvException or NodeFailedException or UsageException or CommandFailedException => failure.Message,
        OperationCanceledException => "interrupted",
        IOException or UnauthorizedAccessException => failure.Message,
        _ => $"unexpected {failure.GetType().Name}: {failure.Message}{Place(failure)}",
    });

    /// <summary>What the system lacks, wherever it was found and however it was wrapped up.</summary>
    private static string? Lack(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause.Message.Contains("Too many open files", StringComparison.Ordinal)) return TooManyFiles;
            // .NET also calls it so when there is no file for what a thread needs.
            if (cause is OutOfMemoryException) return CanOpenFile() ? "out of memory" : TooManyFiles;
            if (cause is FileNotFoundException or FileLoadException
                && cause.Message.StartsWith("Could not load file or assembly", StringComparison.Ordinal))
                return CannotLoad;
        }

        return null;
    }

    private static bool CanOpenFile()
    {
        try
        {
            using var file = File.OpenHandle(OperatingSystem.IsWindows() ? "NUL" : "/dev/null");
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Where a failure that nobody expected began, for who has to find it.</summary>
    private static string Place(Exception failure) =>
        failure.StackTrace?.Split('\n', 2)[0].Trim() is { Length: > 0 } first ? $" ({first})" : "";

    /// <summary>A text as a single line, without what would upset a terminal.</summary>
    public static string OneLine(string text)
    {
        var words = text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var line = string.Join(' ', words);
        return line.Any(char.IsControl) ? new string([.. line.Select(c => char.IsControl(c) ? '?' : c)]) : line;
    }
}
