using System.Diagnostics;
using Akka.Actor;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R10: writes a replica's checkpoints, part by part as it is given them, on a thread of its own. It asks for the next part when it has
/// written one, after a pause as long as that took: so it takes half of one processor at most, and little is on its way.
/// </summary>
internal sealed class StoreWriter : ReceiveActor, IWithTimers
{
    private readonly string _path;
    private StoreFile? _file;

    /// <summary>Begin a checkpoint: of all keys, or of what changed.</summary>
    public sealed record Begin(bool All);

    /// <summary>Write a part.</summary>
    public sealed record Write(StatePart Part);

    /// <summary>All is written.</summary>
    public sealed record Finish(StoreHead Head);

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

    /// <summary>The checkpoint may not be on the disk; then the one before still is. The next one must have all.</summary>
    public sealed record Failed(Exception Cause);

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
            _file ??= StoreFile.Open(_path);
            _file.Begin(begin.All);
        }));
        Receive<Write>(write => Work(() => _file?.Write(write.Part)));
        Receive<Finish>(finish =>
        {
            Tried(() =>
            {
                _file!.Finish(finish.Head);
                Context.Parent.Tell(new Done(finish.Head, new FileInfo(_path).Length));
            });
        });
        Receive<Pause>(_ => Context.Parent.Tell(More.Instance));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <inheritdoc/>
    protected override void PostStop() => _file?.Dispose();

    private void Work(Action action)
    {
        var begun = Stopwatch.GetTimestamp();
        // Parts that come after a failure go nowhere.
        if (Tried(action) && _file is not null)
            Timers.StartSingleTimer(Pause.Instance, Pause.Instance, Stopwatch.GetElapsedTime(begun));
    }

    private bool Tried(Action action)
    {
        try
        {
            action();
            return true;
        }
#pragma warning disable CA1031 // Whatever it was: the checkpoint is not written, and the replica must hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Closed, it undoes what was begun.
            _file?.Dispose();
            _file = null;
            Context.Parent.Tell(new Failed(e));
            return false;
        }
    }
}
