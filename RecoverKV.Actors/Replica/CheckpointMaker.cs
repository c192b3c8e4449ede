using Akka.Actor;
using Akka.Event;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// R10: when a replica makes a checkpoint, and its steps: the core hands the state over in parts of well under a
/// millisecond, each when the writer asks for it, while writes go on. Used by the replica's actor only.
/// </summary>
/// <param name="core">The replica.</param>
/// <param name="folder">Its folder.</param>
/// <param name="settings">How much is written between two of them.</param>
/// <param name="writer">Writes them.</param>
/// <param name="gateway">In whose name clients are answered.</param>
/// <param name="log">Where they are told of.</param>
/// <param name="last">The uid of the checkpoint that there is.</param>
internal sealed class CheckpointMaker(
    ReplicaCore core, DataFolder folder, CheckpointSettings settings, IActorRef writer, IActorRef gateway,
    ILoggingAdapter log, Uid last)
{
    // Who asks for one that begins after it asked; and who waits for the one under way.
    private const int MostAsking = 64;
    private readonly List<(IActorRef Client, long Id)> _asking = [];
    private readonly List<(IActorRef Client, long Id)> _waiting = [];

    private const int PartRecords = 512;
    private const int PartBytes = 256 * 1024;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    // Between two that are made for want of room.
    private static readonly TimeSpan Relief = TimeSpan.FromSeconds(2);
    private readonly CheckpointTimes _times = new(settings);
    private Checkpoint? _making;
    private Action? _whenLast;
    private bool _isWaiting;
    private bool _hasFailed;
    private TimeSpan _notBefore = TimeSpan.MinValue;
    private Uid _lastUid = last;
    private long _lastBytes;
    private long _makingBytes;

    // Of the file.
    private long _size = new FileInfo(folder.Store) is { Exists: true } file ? file.Length : 0;

    /// <summary>Begins one if enough was written since the last, and goes on with one that waits for the
    /// journal.</summary>
    public void Tick(TimeSpan now)
    {
        if (_making is not null)
        {
            if (_isWaiting) Next();
        }
        else if (_asking.Count > 0 && core.GivesState(now))
        {
            // It would end what is under way.
            Answer(
                _asking, false,
                "a peer, or a backup, takes the checkpoint that there is: try it again later, or at another node");
        }
        else if (!core.TakesState && (_asking.Count > 0 || now >= _notBefore && IsTime(now)))
        {
            Begin();
        }
    }

    private bool IsTime(TimeSpan now) => _times.IsTime(
        now, core.Applied, core.Applied - _lastUid, core.State.AppliedBytes - _lastBytes, core.KeyCount,
        core.GivesState(now) ? _size : null, core.IsDiskFull);

    /// <summary>R8, R10: the replica has left. It is told when to stop: at once, or when a checkpoint is written where
    /// that makes the next start faster than it takes.</summary>
    public void BeginLast(Action then)
    {
        var isWorth = _times.IsWorthBeforeStop(core.Applied - _lastUid, core.KeyCount);
        if (isWorth && _making is null && !core.TakesState) Begin();
        if (!isWorth || _making is null)
        {
            then();
            return;
        }

        _whenLast = then;
        writer.Tell(StoreWriter.Hurry.Instance);
    }

    /// <summary>A client wants one of what is there by now.</summary>
    public void Ask(CheckpointNode request, IActorRef client)
    {
        if (_asking.Count < MostAsking) _asking.Add((client, request.Id));
        else client.Tell(new AdminReply(request.Id, false, "too many ask for a checkpoint"), gateway);
    }

    /// <summary>The writer wants the next part.</summary>
    public void Next()
    {
        if (_making is not { } making) return;
        _isWaiting = false;
        if (making.State.Next(PartRecords, PartBytes) is { } part) writer.Tell(new StoreWriter.Write(part));
        else if (!core.MayFinish(making)) _isWaiting = true;
        else
        {
            var state = making.State;
            writer.Tell(new StoreWriter.Finish(new StoreHead(
                folder.PersistenceId, core.Cluster, state.Revision, state.KeyCount, state.Digest, state.SessionCount,
                state.SessionBytes, making.Base)));
        }
    }

    /// <summary>It is on the disk.</summary>
    public void Done(TimeSpan now, StoreWriter.Done done)
    {
        log.Info(
            "Checkpoint of {0} keys at uid {1}, {2} MiB", done.Head.Keys, done.Head.Base.Applied, done.Bytes >> 20);
        core.CheckpointSaved(_making!);
        (_making, _hasFailed) = (null, false);
        (_lastUid, _lastBytes, _size) = (done.Head.Base.Applied, _makingBytes, done.Bytes);
        if (core.IsDiskFull) _notBefore = now + Relief;
        Answer(_waiting, true, $"{done.Head.Keys} keys at uid {done.Head.Base.Applied}, {done.Bytes} bytes");
        _whenLast?.Invoke();
    }

    /// <summary>It is not; the one before stays.</summary>
    public void Failed(TimeSpan now, Exception cause)
    {
        if (!_hasFailed)
            log.Warning("No checkpoint can be written, and it is tried again: {0}", cause.OneLine());
        core.ForgetCheckpoint();
        (_making, _hasFailed, _notBefore) = (null, true, now + Retry);
        Answer(_waiting, false, $"the checkpoint was not written: {cause.OneLine()}");
        _whenLast?.Invoke();
    }

    private void Begin()
    {
        _making = core.BeginCheckpoint();
        if (_making is null)
        {
            Answer(_asking, false, "this replica may not vouch for its disk: see its status");
            return;
        }

        _waiting.AddRange(_asking);
        _asking.Clear();
        _makingBytes = core.State.AppliedBytes;
        writer.Tell(new StoreWriter.Begin(_making.State.IsAll));
    }

    private void Answer(List<(IActorRef Client, long Id)> clients, bool done, string text)
    {
        foreach (var (client, id) in clients) client.Tell(new AdminReply(id, done, text), gateway);
        clients.Clear();
    }
}
