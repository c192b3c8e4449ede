using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Event;
using Akka.Persistence;
using Akka.Persistence.Snapshot;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>Tells a node's snapshot store what it needs to know.</summary>
/// <param name="journal">The SQLite file of the journal.</param>
/// <param name="newState">Makes an empty state.</param>
internal sealed class StoreSnapshotsSetup(string journal, Func<KeyValueState> newState) : Setup
{
    /// <summary>The SQLite file of the journal.</summary>
    public string Journal => journal;

    /// <summary>The checkpoint beside it.</summary>
    public string Store => Path.Combine(Path.GetDirectoryName(journal)!, StoreFile.Name);

    /// <summary>An empty state.</summary>
    public KeyValueState NewState() => newState();
}

/// <summary>R10: a replica as its checkpoint has it.</summary>
/// <param name="Base">Where the log goes on.</param>
/// <param name="State">The state there.</param>
/// <param name="JournalEnd">The last fact that the journal has.</param>
/// <param name="Incoming">What there is of a peer's state.</param>
internal sealed record RestoredReplica(
    LogBase Base, KeyValueState State, long JournalEnd, TakenState? Incoming);

/// <summary>
/// R10: what Akka.Persistence takes for snapshots: the checkpoint of the replica, from which the journal is replayed.
/// Checkpoints are written by <see cref="StoreWriter"/>, beside Akka. One that cannot be read is set aside: as long as
/// the journal has all facts, it is replayed from the first one.
/// </summary>
internal sealed class StoreSnapshots : SnapshotStore
{
    /// <summary>What follows the name of a checkpoint that was set aside.</summary>
    public const string Damaged = ".damaged";

    private readonly StoreSnapshotsSetup _setup = Context.System.Settings.Setup.Get<StoreSnapshotsSetup>().Value;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <inheritdoc/>
    protected override Task<SelectedSnapshot?> LoadAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken) =>
        Task.FromResult(Load(persistenceId));

    /// <inheritdoc/>
    protected override Task SaveAsync(
        SnapshotMetadata metadata, object snapshot, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Checkpoints are written beside Akka.");

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    /// <inheritdoc/>
    protected override Task DeleteAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    private SelectedSnapshot? Load(string persistenceId)
    {
        var ((before, to), end) = JournalEnds(persistenceId);
        var isNeeded = before > 1 || to > 0;
        if (!File.Exists(_setup.Store))
            return isNeeded ? throw Lacking(before, "it is missing", null) : Without(persistenceId, end);
        var begun = Stopwatch.GetTimestamp();
        var state = _setup.NewState();
        if (Read(persistenceId, state, isNeeded ? before : 0) is not { } head)
            return isNeeded ? throw Lacking(before, "it has none", null) : Without(persistenceId, end);
        if (head.Base.FirstFact < before || head.Base.Applied.Value < to)
            throw Lacking(before, $"it is of uid {head.Base.Applied}, an older copy", null);
        _log.Info(
            "Checkpoint of {0} keys at uid {1} read in {2} ms; facts from {3} on are replayed", head.Keys,
            head.Base.Applied, (long)Stopwatch.GetElapsedTime(begun).TotalMilliseconds, head.Base.ReplayFrom);
        return new SelectedSnapshot(
            new SnapshotMetadata(persistenceId, head.Base.ReplayFrom - 1, File.GetLastWriteTimeUtc(_setup.Store)),
            new RestoredReplica(head.Base, state, end, Incoming()));
    }

    // Of a replica that takes the state of a peer, and has no other.
    private SelectedSnapshot? Without(string persistenceId, long end) => Incoming() is { } incoming
        ? new SelectedSnapshot(
            new SnapshotMetadata(persistenceId, 0, File.GetLastWriteTimeUtc(_setup.Journal)),
            new RestoredReplica(LogBase.None, _setup.NewState(), end, incoming))
        : null;

    // What cannot be read is taken anew.
    private TakenState? Incoming()
    {
        var path = _setup.Store + StoreFile.Incoming;
        try
        {
            return StoreReader.Progress(path);
        }
        catch (Exception e) when (e is SqliteException or FormatException or InvalidCastException or IOException)
        {
            _log.Warning("{0} cannot be used: {1}", path, e.OneLine());
            return null;
        }
    }

    // Without it nobody knows what the replica had.
    private DamagedFolderException Lacking(long before, string how, Exception? cause) => JournalFile.Damaged(
        _setup.Store, $"{how}; the journal begins with fact {before} and needs its checkpoint", cause);

    private StoreHead? Read(string persistenceId, KeyValueState state, long neededBefore)
    {
        try
        {
            var head = StoreReader.Load(_setup.Store, state);
            return head is null || head.Replica == persistenceId ? head
                : throw new FormatException($"it is of {head.Replica}");
        }
        catch (Exception e) when (JournalFile.IsPassing(e) || e is OutOfMemoryException)
        {
            throw new NodeFailedException($"{_setup.Store} cannot be read: {JournalFile.InWords(e)}", e);
        }
#pragma warning disable CA1031 // Whatever it is that cannot be read, or followed: the journal has everything.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (neededBefore > 0 && JournalFile.IsOfTheDisk(e)) throw Lacking(neededBefore, e.Message, e);
            if (neededBefore > 0 || e is OtherFormException)
                throw new NodeFailedException($"{_setup.Store} cannot be read: {e.OneLine()}", e);
            _log.Warning(
                "{0} cannot be used: {1}. It is set aside as {2}{3}, and the whole journal is replayed", _setup.Store,
                e.OneLine(), StoreFile.Name, Damaged);
            SetAside();
            return null;
        }
    }

    private void SetAside()
    {
        foreach (var file in JournalFile.Files(_setup.Store))
        {
            if (file == _setup.Store) DurableFiles.Move(file, _setup.Store + Damaged);
            else File.Delete(file);
        }
    }

    private ((long Before, long To) Forgotten, long Last) JournalEnds(string persistenceId)
    {
        var connection = new SqliteConnection(JournalFile.ConnectionString(_setup.Journal));
        connection.Open();
        using var table = new JournalTable(connection);
        return (table.Forgotten(persistenceId), table.Highest(persistenceId));
    }
}
