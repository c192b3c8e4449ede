using Akka.Actor;
using Akka.Event;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Actors.Replica;

/// <summary>Looks now and then whether the disk has room, on another thread, and tells the replica. Used by its actor
/// only.
/// </summary>
internal sealed class RoomWatch(
    ReplicaCore core, DataFolder folder, DiskRoom room, IActorRef self, ILoggingAdapter log)
{
    /// <summary>How often it should look.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private bool _isLooking;
    private string? _full;
    private string? _failure;

    /// <summary>It is time to look.</summary>
    public sealed class Look
    {
        /// <summary>The only one.</summary>
        public static readonly Look Instance = new();
    }

    /// <summary>What was seen.</summary>
    public sealed record Seen(string? Full, Exception? Failure = null);

    /// <summary>Begins to look; <see cref="Seen"/> follows. A disk that hangs is looked at once.</summary>
    public void Begin()
    {
        if (_isLooking) return;
        _isLooking = true;
        var bytes = core.State.Bytes;
        Task.Run(() => new Seen(folder.Use(() => room.Look(bytes)))).PipeTo(self, failure: e => new Seen(null, e));
    }

    /// <summary>It has looked.</summary>
    public void End(TimeSpan now, Seen seen)
    {
        _isLooking = false;
        if (seen.Failure?.Message is var failure && failure != _failure && failure is not null)
            log.Warning("The room on the disk is not known: {0}", failure.ReplaceLineEndings(" "));
        _failure = failure;
        if (failure is not null) return;
        if (seen.Full is { } full && _full is null)
            log.Warning("The disk is full, and no new data is taken: {0}", full);
        if (seen.Full is null && _full is not null) log.Warning("The disk has room again");
        _full = seen.Full;
        core.DiskRoom(now, seen.Full);
    }
}
