using Akka.Actor;
using Akka.Event;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// What a replica reads from its disk for others, beside its own work: facts of the journal (R6) and parts of the
/// checkpoint (R10) for peers, and the latter for backups, too. So many at once at most. Used by the replica's actor
/// only, which hands back each <see cref="Result"/>.
/// </summary>
/// <param name="core">The replica.</param>
/// <param name="folder">Its folder.</param>
/// <param name="self">Its actor.</param>
/// <param name="gateway">In whose name clients are answered.</param>
/// <param name="tell">Sends to a peer.</param>
/// <param name="log">Where failures are told of.</param>
internal sealed class DiskReads(
    ReplicaCore core, DataFolder folder, IActorRef self, IActorRef gateway, Action<NodeId, PeerMessage> tell,
    ILoggingAdapter log)
{
    // Gaps of peers that are read from the journal at once; as many as eight peers ask for by default.
    private const int MostForPeers = 32;

    // Of clients that make backups.
    private const int MostForBackups = 4;
    private readonly JournalReader _journal = new(folder);
    private int _forPeers;
    private int _forBackups;

    /// <summary>What was read, on its way to the replica's actor.</summary>
    public abstract record Result;

    private sealed record JournalRead(Effect.ServeFromJournal Effect, IReadOnlyList<Fact> Facts) : Result;

    private sealed record StateRead(Effect.ServeState Effect, StatePage Page) : Result;

    private sealed record Failed(Exception Cause) : Result;

    private sealed record BackupRead(IActorRef Client, BackupPart Part, bool IsLast, Exception? Failure) : Result;

    /// <summary>R6: reads entries for a peer. Where too many are read already, it asks another one after a
    /// while.</summary>
    public void Serve(Effect.ServeFromJournal serve)
    {
        if (_forPeers >= MostForPeers) return;
        _forPeers++;
        _journal.ReadAsync(serve.FirstFact, serve.LastFact, CancellationToken.None).PipeTo(
            self, success: facts => new JournalRead(serve, facts), failure: e => new Failed(e));
    }

    /// <summary>R10: reads a part of the state for a peer, likewise.</summary>
    public void Serve(Effect.ServeState serve)
    {
        if (_forPeers >= MostForPeers) return;
        _forPeers++;
        var (store, request, bytes) = (folder.Store, serve.Request, core.Options.FetchBytes);
        Task.Run(() => StoreReader.Part(store, request.At, request.After, bytes)).PipeTo(
            self, success: part => new StateRead(serve, new StatePage(request.Epoch, request.Id, part?.Chunk)),
            failure: e => new Failed(e));
    }

    /// <summary>R10: reads a part of the checkpoint for a backup. Where too many read already, or none may, the client
    /// asks again.</summary>
    public void Serve(TimeSpan now, BackupRequest request, IActorRef client)
    {
        if (_forBackups >= MostForBackups || core.TakesState) return;
        var (id, store, nothing) = (request.Id, folder.Store, new BackupPart(request.Id, -1, default));
        Uid? at = request.At < 0 ? null : new Uid(request.At);
        if (at is null || at == core.CheckpointUid) core.GivesBackup(now, true);
        var options = core.Options;
        var bytes = Math.Min(options.FetchBytes, options.AnswerBytes);
        var (cluster, frame) = (core.Cluster, core.View.FrameSize);
        _forBackups++;
        Task.Run(() =>
        {
            var after = request.After.IsEmpty ? null : StateCodec.DecodeCursor(request.After);
            return File.Exists(store) && StoreReader.Part(store, at, after, bytes) is { } part
                ? new BackupRead(
                    client, new BackupPart(id, part.At.Value, StateCodec.Encode(part.Chunk), cluster, frame),
                    part.Chunk.Next is null, null)
                : new BackupRead(client, nothing, true, null);
        }).PipeTo(self, failure: e => new BackupRead(client, nothing, true, e));
    }

    /// <summary>Something was read, or could not be.</summary>
    public void Take(TimeSpan now, Result result)
    {
        if (result is BackupRead) _forBackups--;
        else _forPeers--;
        switch (result)
        {
            case JournalRead read:
                // The entries of the facts that were read, from the first uid asked for on, without a hole.
                var batches = JournalEntries.Select(
                    read.Effect, read.Facts, core.Options.FetchEntries, core.Options.FetchBytes);
                tell(read.Effect.To, new Entries(read.Effect.Request.Epoch, read.Effect.Request.Id, batches));
                break;
            case StateRead read:
                tell(read.Effect.To, read.Page);
                break;
            case Failed failed:
                log.Warning(failed.Cause, "What was asked for could not be read");
                break;
            case BackupRead read:
                if (read.Failure is { } wrong)
                    log.Warning("A backup could not be read: {0}", wrong.OneLine());
                if (read.IsLast) core.GivesBackup(now, false);
                read.Client.Tell(read.Part, gateway);
                break;
        }
    }
}
