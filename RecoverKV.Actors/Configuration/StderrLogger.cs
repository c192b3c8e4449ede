using System.Globalization;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using RecoverKV.Actors.Output;

namespace RecoverKV.Actors.Configuration;

/// <summary>Writes log events to stderr, one line each. What Akka.Remote says about connections that fail, several
/// times a second while a peer is down, is left out unless the level is INFO or DEBUG. Nobody waits for who reads
/// them.</summary>
public sealed class StderrLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    /// <summary>Called by Akka.</summary>
    public StderrLogger()
    {
        var level = Logging.LogLevelFor(Context.System.Settings.LogLevel);
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e =>
        {
            if (level < LogLevel.WarningLevel || !IsAboutConnections(e)) Lines.Add(Line(e));
        });
    }

    /// <summary>The lines of this process that go to standard error without anybody waiting for it.</summary>
    internal static LineQueue Lines { get; } = new(StandardStream.WriteError);

    /// <inheritdoc/>
    protected override void PostStop() => Lines.Flush(LastWords);

    /// <summary>A warning of Akka.Remote, or the error of a connection's actor that ended with the
    /// connection.</summary>
    internal static bool IsAboutConnections(LogEvent e) =>
        e is Warning && (IsRemoting(e.LogClass) || e.LogSource.StartsWith("remoting", StringComparison.Ordinal))
        || e is Error { Cause: AkkaException cause }
            && e.LogClass == typeof(OneForOneStrategy) && IsRemoting(cause.GetType())
        // A port in use: the start fails with a line of its own.
        || e is Error { Cause: Akka.Remote.RemoteTransportException }
        // Who has this node under another name, such as localhost.
        || e is Error && IsRemoting(e.LogClass)
            && $"{e.Message}".Contains("for non-local recipient", StringComparison.Ordinal);

    private static bool IsRemoting(Type type) =>
        type.Namespace?.StartsWith("Akka.Remote", StringComparison.Ordinal) is true;

    /// <summary>The line of an event: time, level, source, text, and the messages of the exceptions behind
    /// it.</summary>
    internal static string Line(LogEvent e)
    {
        var level = e.LogLevel() switch
        {
            LogLevel.DebugLevel => "DEBUG",
            LogLevel.InfoLevel => "INFO",
            LogLevel.WarningLevel => "WARNING",
            _ => "ERROR",
        };
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{e.Timestamp:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {level} {Source(e)}: {e.Message}");
        for (var cause = e.Cause; cause is not null; cause = cause.InnerException)
            line += $" <- {cause.GetType().Name}: {cause.Message}";
        return line.ReplaceLineEndings(" ");
    }

    /// <summary>The class that logs, or the name that it gave instead.</summary>
    private static string Source(LogEvent e) =>
        e.LogClass == typeof(DummyClassForStringSources) ? e.LogSource : e.LogClass.Name;
}

/// <summary>The same while there are no actors to log.</summary>
public sealed class StderrStartLogger : MinimalLogger
{
    /// <inheritdoc/>
    protected override void Log(object message)
    {
        if (message is LogEvent e) StderrLogger.Lines.Add(StderrLogger.Line(e));
    }
}
