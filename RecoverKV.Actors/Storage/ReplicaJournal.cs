using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>Tells a node's journal actor its file.</summary>
/// <param name="path">The SQLite file.</param>
/// <param name="durability">What a commit waits for.</param>
/// <param name="pragmas">Further PRAGMAs of the connection, for specs.</param>
internal sealed class ReplicaJournalSetup(string path, Durability durability, string pragmas) : Setup
{
    public JournalTable OpenTable()
    {
        var connection = Connect();
        return new JournalTable(
            connection, new WriteAheadLog(connection, Connect), new JournalCount(JournalCount.PathOf(path)));
    }

    /// <summary>The SQLite file.</summary>
    public string Path => path;

    private SqliteConnection Connect() => JournalFile.ConnectForWriting(path, durability, pragmas);
}

/// <summary>
/// The journal plugin of Akka.Persistence.Sql with a shorter way for events. The plugin takes an event over a stream, a
/// task and three actors to the disk and back, and replays through a compiled query and another stream; here the
/// journal's own actor inserts all events of a request by one prepared statement in one transaction, reads them
/// row by row, and answers the replica directly. The table is the plugin's: either can read what the other wrote.
/// </summary>
/// <remarks>
/// The actor's thread waits for the disk, so it needs a dispatcher of its own. Requests are done one after the other: a
/// replay never misses a write that is still under way. A replica has one write under way at a time; what it
/// persists meanwhile makes the next one, so that a slower disk has fewer and larger transactions. What a full disk
/// does not take, or a lock that somebody else has, waits here and is tried again: to stop the replica would help
/// nobody.
/// </remarks>
internal sealed class ReplicaJournal(Config config) : SqlWriteJournal(config)
{
    // Replayed events that the replica has not applied yet: bounds the memory of a replay, as each may have
    // batch.bytes.
    private const int ReplayAhead = 64;
    private readonly ReplicaJournalSetup _setup = Context.System.Settings.Setup.Get<ReplicaJournalSetup>().Value;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private JournalTable? _table;
    private bool _pluginStarted;

    // The write that is tried again and again.
    private WriteMessages? _held;
    private bool _replayHeld;
    private ICancelable? _later;

    /// <summary>R10: facts below a number may go, as a checkpoint is on the disk that has all entries up to a
    /// uid.</summary>
    public sealed record Forget(string PersistenceId, long Before, long To);

    // What is to go; in steps, so that no write waits for long.
    private Forget? _forget;
    private bool _isForgetRecorded;
    private ICancelable? _nextStep;
    private static readonly TimeSpan ForgetPause = TimeSpan.FromMilliseconds(10);

    private sealed class ForgetStep
    {
        public static readonly ForgetStep Instance = new();
    }

    private sealed class Retry
    {
        public static readonly Retry Instance = new();
    }

    /// <inheritdoc/>
    protected override bool AroundReceive(Receive receive, object message)
    {
        switch (message)
        {
            case WriteMessages request:
                Write(request);
                return true;
            case Retry:
                if (_held is { } held) Write(held);
                return true;
            case Forget forget:
                var isRunning = _forget is not null;
                (_forget, _isForgetRecorded) = (forget, false);
                if (!isRunning) ForgetSome();
                return true;
            case ForgetStep:
                ForgetSome();
                return true;
            case ReplayMessages request:
                ReplayTo(request);
                return true;
            case IJournalMessage when !_pluginStarted:
                _pluginStarted = true;
                base.PreStart();
                Self.Forward(message);
                return true;
            default:
                return base.AroundReceive(receive, message);
        }
    }

    /// <summary>Nothing yet: what the plugin has of its own, Akka.Streams and LinqToDB, takes longer to start than a
    /// short journal to replay, and starts with the first request that is not done here.</summary>
    protected override void PreStart()
    {
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _later?.Cancel();
        _nextStep?.Cancel();
        Close();
        base.PostStop();
    }

    private void Write(WriteMessages request)
    {
        var failure = Try(table => table.Append(Events(request)));
        if (failure is not null && JournalFile.IsPassing(failure))
        {
            if (_held is null)
            {
                Context.GetLogger().Warning(
                    "{0} takes nothing for now: {1}. What is to be written waits, and is tried again", _setup.Path,
                    JournalFile.InWords(failure));
                request.PersistentActor.Tell(new JournalTrouble(JournalFile.InWords(failure)), Self);
            }

            _held = request;
            Later(Retry.Instance, Self);
            return;
        }

        if (_held is not null)
        {
            if (failure is null) Context.GetLogger().Warning("{0} takes facts again", _setup.Path);
            request.PersistentActor.Tell(new JournalTrouble(null), Self);
            _held = null;
        }

        Answer(request, failure);
        // Nobody waits for it: the events are answered.
        _table?.MoveLog();
    }

    private void ReplayTo(ReplayMessages request)
    {
        // The replica that waited for it is no more.
        _held = null;
        var (highest, sent) = (0L, 0L);
        var failure = Try(table => highest = Replay(table, request, ref sent));
        if (failure is not null && sent == 0 && JournalFile.IsPassing(failure))
        {
            if (!_replayHeld)
                Context.GetLogger().Warning(
                    "{0} cannot be read for now: {1}. It is tried again", _setup.Path, JournalFile.InWords(failure));
            _replayHeld = true;
            Later(request, Sender);
            return;
        }

        _replayHeld = false;
        request.PersistentActor.Tell(
            failure is null ? new RecoverySuccess(highest) : new ReplayMessagesFailure(failure), ActorRefs.NoSender);
    }

    // A failure ends it until the next checkpoint: a disk that takes nothing is told of when facts are written.
    private void ForgetSome()
    {
        if (_forget is not { } forget) return;
        var begun = Stopwatch.GetTimestamp();
        var isMore = false;
        var failure = Try(table =>
        {
            // Once, before the first fact goes.
            if (!_isForgetRecorded) table.MayForget(forget.PersistenceId, forget.Before, forget.To);
            _isForgetRecorded = true;
            isMore = table.Forget(forget.PersistenceId, forget.Before);
        });
        if (failure is not null)
            Context.GetLogger().Warning("{0} keeps old facts for now: {1}", _setup.Path, JournalFile.InWords(failure));
        if (!isMore)
        {
            _forget = null;
            return;
        }

        // A fifth of the time at most.
        var pause = 4 * Stopwatch.GetElapsedTime(begun);
        _nextStep = Context.System.Scheduler.ScheduleTellOnceCancelable(
            pause > ForgetPause ? pause : ForgetPause, Self, ForgetStep.Instance, Self);
        _table?.MoveLog();
    }

    private void Later(object message, IActorRef sender) =>
        _later = Context.System.Scheduler.ScheduleTellOnceCancelable(Pause, Self, message, sender);

    private Exception? Try(Action<JournalTable> action)
    {
        try
        {
            action(_table ??= _setup.OpenTable());
            return null;
        }
        catch (SqliteException e) when (JournalFile.IsPassing(e))
        {
            return e;
        }
#pragma warning disable CA1031 // Whatever it was: nothing was written or not all read, and the replica must hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // What the failed connection thinks is in the file may be wrong: the next one reads it again.
            Close();
            return e;
        }
    }

    private void Close()
    {
        _table?.Dispose();
        _table = null;
    }

    private static IPersistentRepresentation[] Events(WriteMessages request) =>
        [.. request.Messages.OfType<AtomicWrite>().SelectMany(w => (IEnumerable<IPersistentRepresentation>)w.Payload)];

    private void Answer(WriteMessages request, Exception? failure)
    {
        var (replica, instance) = (request.PersistentActor, request.ActorInstanceId);
        replica.Tell(
            failure is null
                ? WriteMessagesSuccessful.Instance
                : new WriteMessagesFailed(failure, request.Messages.Count()),
            Self);
        foreach (var envelope in request.Messages)
        {
            if (envelope is not AtomicWrite write)
            {
                replica.Tell(new LoopMessageSuccess(envelope.Payload, instance), envelope.Sender);
                continue;
            }

            foreach (var written in (IEnumerable<IPersistentRepresentation>)write.Payload)
            {
                replica.Tell(
                    failure is null
                        ? new WriteMessageSuccess(written, instance)
                        : new WriteMessageFailure(written, failure, instance),
                    written.Sender);
            }
        }
    }

    // Every event, but none of a writer that was already succeeded by another: two replicas would be at work.
    private static long Replay(JournalTable table, ReplayMessages request, ref long sent)
    {
        var (replica, id) = (request.PersistentActor, request.PersistenceId);
        var highest = table.Highest(id);
        var last = Math.Min(request.ToSequenceNr, highest);
        var earlier = new HashSet<string>();
        var writer = "";
        var left = request.Max;
        // Behind a checkpoint the first one must be there. (Without one the replica counts them.)
        var before = request.FromSequenceNr - 1;
        foreach (var row in left == 0 ? [] : table.Read(id, request.FromSequenceNr, last))
        {
            if (row.Writer != writer)
            {
                earlier.Add(writer);
                writer = row.Writer;
                if (earlier.Contains(writer))
                    throw new InvariantViolationException(
                        $"event {row.Number} is of an earlier run of the replica than the one before it");
            }

            if (before > 0 && row.Number != before + 1)
                throw new InvariantViolationException(
                    $"event {row.Number} follows event {before}: those between are missing");
            before = row.Number;
            sent++;
            WaitForRoom(replica);
            replica.Tell(
                new ReplayedMessage(new Persistent(row.Fact, row.Number, id, "", false, null, writer)),
                ActorRefs.NoSender);
            if (--left == 0) break;
        }

        return highest;
    }

    private static void WaitForRoom(IActorRef replica)
    {
        if (replica is not ActorRefWithCell local) return;
        var wait = new SpinWait();
        while (local.Underlying.NumberOfMessages > ReplayAhead && !local.IsTerminated) wait.SpinOnce();
    }
}
