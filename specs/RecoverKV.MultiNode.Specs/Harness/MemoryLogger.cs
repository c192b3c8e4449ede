using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using RecoverKV.Actors.Configuration;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Keeps the last log lines of each node, for the messages of specs that fail.</summary>
public sealed class MemoryLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private const int Kept = 60;
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<string>> Logs = new();

    /// <summary>Called by Akka.</summary>
    public MemoryLogger()
    {
        var log = Logs.GetOrAdd(Context.System.Settings.Config.GetString("akka.specs.log"), _ => new());
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e =>
        {
            log.Enqueue(StderrLogger.Line(e));
            while (log.Count > Kept) log.TryDequeue(out _);
        });
    }

    /// <summary>What a node's configuration needs.</summary>
    public static string Hocon(string log) => $$"""
        akka.loggers = ["{{typeof(MemoryLogger).FullName}}, {{typeof(MemoryLogger).Assembly.GetName().Name}}"]
        akka.stdout-logger-class = "{{typeof(SilentStartLogger).FullName}}, {{typeof(SilentStartLogger).Assembly.GetName().Name}}"
        akka.specs.log = "{{log}}"
        """;

    public static IEnumerable<string> Lines(string log) => Logs.TryGetValue(log, out var lines) ? lines : [];
}

/// <summary>While there are no actors to log, at the start and the end: nothing.</summary>
public sealed class SilentStartLogger : MinimalLogger
{
    protected override void Log(object message) { }
}
