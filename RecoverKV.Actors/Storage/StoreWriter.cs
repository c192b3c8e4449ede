using System.Diagnostics;
using Akka.Actor;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R10: writes a replica's checkpoints, part by part as it is given them, on a thread of its own. It asks for the next
/// part when it has written one, after a pause as long as that took: so it takes half of one processor at most, and
/// little is on its way.
/// </summary>
internal sealed class StoreWriter : ReceiveActor, IWithTimers
{
    private readonly string _path;
    private StoreFile? _file, _incoming;
    private bool _hurries;

    // What is damaged in the file was met when something was written, and is not read at a start.
    private bool _isDamaged;
    private bool _isAnew;

    /// <summary>Begin a checkpoint: of all keys, or of what changed.</summary>
    public sealed record Begin(bool All);

    /// <summary>Write a part.</summary>
    public sealed record Write(StatePart Part);

    /// <summary>All is written.</summary>
    public sealed record Finish(StoreHead Head);

    /// <summary>No more pauses: nothing else goes on.</summary>
    public sealed class Hurry
    {
        /// <summary>The only one.</summary>
        public static readonly Hurry Instance = new();
    }

    /// <summary>Asks for the next part.</summary>
    public sealed class More
    {
        /// <summary>The only one.</summary>
        public static readonly More Instance = new();
    }

    /// <summary>The checkpoint is on the disk.</summary>
    /// <param name="Head">What it says of itself.</param>
    /// <param name="Bytes">How large the file is.</param>
    public sealed record Done(StoreHead Head, long Bytes);

    /// <summary>The checkpoint may not be on the disk; then the one before still is. The next one must have
    /// all.</summary>
    public sealed record Failed(Exception Cause);

    /// <summary>Write a part of a peer's state beside the checkpoint; of the last one see that all of them are what was
    /// promised.
    /// </summary>
    public sealed record Take(Uid At, bool IsFirst, StateChunk Chunk);

    /// <summary>The part is written; or not, and then nothing of that state is kept.</summary>
    public sealed record Taken(Exception? Failure);

    /// <summary>What there is of a peer's state is of no use.</summary>
    public sealed class Drop
    {
        /// <summary>The only one.</summary>
        public static readonly Drop Instance = new();
    }

    /// <summary>The peer's state is to be the checkpoint.</summary>
    public sealed record Install(StoreHead Head);

    /// <summary>It is; or the one before still is. Nothing more is written for this run of the replica.</summary>
    public sealed record Installed(Exception? Failure);

    private sealed class Pause
    {
        public static readonly Pause Instance = new();
    }

    /// <summary>Writes this file.</summary>
    public StoreWriter(string path)
    {
        _path = path;
        Receive<Begin>(begin => Work(() =>
        {
            if (_isDamaged && begin.All) BeginAnew();
            _file ??= StoreFile.Open(_path);
            _file.Begin(begin.All);
        }));
        Receive<Write>(write => Work(() => _file?.Write(write.Part)));
        Receive<Finish>(finish =>
        {
            Tried(() =>
            {
                _file!.Finish(finish.Head);
                if (_isAnew) Replace(AnewPath);
                Context.Parent.Tell(new Done(finish.Head, new FileInfo(_path).Length));
            });
        });
        Receive<Hurry>(_ => _hurries = true);
        Receive<Pause>(_ => Context.Parent.Tell(More.Instance));
        Receive<Take>(take =>
        {
            var begun = Stopwatch.GetTimestamp();
            var taken = new Taken(Attempt(() => Keep(take), DropIncoming));
            // With rests, as for the own checkpoint: the others' writes should not have to wait for it.
            Timers.StartSingleTimer(taken, taken, Stopwatch.GetElapsedTime(begun));
        });
        Receive<Taken>(taken => Context.Parent.Tell(taken));
        Receive<Drop>(_ => Quietly(DropIncoming));
        Receive<Install>(install =>
        {
            Context.Parent.Tell(new Installed(Attempt(() => PutInPlace(install.Head), Close)));
            Become(() => ReceiveAny(_ => { }));
        });
    }

    private string IncomingPath => _path + StoreFile.Incoming;

    private string AnewPath => _path + StoreFile.Anew;

    // All of the state is there: the damaged file stays until another one can take its place.
    private void BeginAnew()
    {
        _file?.Dispose();
        _file = null;
        StoreFile.Delete(AnewPath);
        (_file, _isAnew) = (StoreFile.Open(AnewPath), true);
    }

    private void Keep(Take take)
    {
        if (take.IsFirst) DropIncoming();
        _incoming ??= StoreFile.Open(IncomingPath);
        _incoming.Take(take.At, take.Chunk.Part);
        if (take.Chunk.Next is not null) return;
        if (take.Chunk.Totals.Differs(_incoming.Sum()) is { } wrong)
            throw new FormatException($"{wrong} than promised have come");
        // Now, while the replica still answers: little is left to do when it is put in place.
        _incoming.Sync();
    }

    private void PutInPlace(StoreHead head)
    {
        _incoming ??= StoreFile.Open(IncomingPath);
        _incoming.FinishIncoming(head);
        Replace(IncomingPath);
    }

    // Closed, both are whole files without a log beside them; if not, neither may be touched. (What a damaged one has
    // in its log is of no use.)
    private void Replace(string by)
    {
        Close();
        foreach (var log in _isDamaged ? new[] { by + "-wal" } : [_path + "-wal", by + "-wal"])
            if (File.Exists(log) && new FileInfo(log).Length > 0) throw new IOException($"{log} is still in use");
        foreach (var file in JournalFile.Files(_path).Where(f => f != _path)) File.Delete(file);
        DurableFiles.Move(by, _path);
        _isDamaged = false;
    }

    private void Close()
    {
        _file?.Dispose();
        _incoming?.Dispose();
        (_file, _incoming, _isAnew) = (null, null, false);
    }

    private void DropIncoming()
    {
        _incoming?.Dispose();
        _incoming = null;
        StoreFile.Delete(IncomingPath);
    }

    // What it was to do was not done, and that is known.
    private static void Quietly(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // The disk fails in this, too.
        }
    }

    private static Exception? Attempt(Action action, Action whenFailed)
    {
        try
        {
            action();
            return null;
        }
#pragma warning disable CA1031 // Whatever it was: the replica must hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Quietly(whenFailed);
            return e;
        }
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <inheritdoc/>
    protected override void PreStart() => Quietly(() =>
    {
        StoreFile.DeleteUnfinished(_path);
        StoreFile.Delete(AnewPath);
        StoreFile.DeleteUnfinished(IncomingPath);
    });

    /// <inheritdoc/>
    protected override void PostStop() => Close();

    private void Work(Action action)
    {
        var begun = Stopwatch.GetTimestamp();
        // Parts that come after a failure go nowhere.
        if (!Tried(action) || _file is null) return;
        if (_hurries) Context.Parent.Tell(More.Instance);
        else Timers.StartSingleTimer(Pause.Instance, Pause.Instance, Stopwatch.GetElapsedTime(begun));
    }

    private bool Tried(Action action)
    {
        if (Attempt(action, Abandon) is not { } failure) return true;
        _isDamaged |= JournalFile.IsOfTheDisk(failure);
        Context.Parent.Tell(new Failed(failure));
        return false;
    }

    // Closed, it undoes what was begun; also where closing fails.
    private void Abandon()
    {
        var file = _file;
        (_file, _isAnew) = (null, false);
        file?.Dispose();
    }
}
