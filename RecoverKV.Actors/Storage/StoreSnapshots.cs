using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Event;
using Akka.Persistence;
using Akka.Persistence.Snapshot;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
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
internal sealed record RestoredReplica(LogBase Base, KeyValueState State, long JournalEnd);

/// <summary>
/// R10: what Akka.Persistence takes for snapshots: the checkpoint of the replica, from which the journal is replayed. Checkpoints are
/// written by <see cref="StoreWriter"/>, beside Akka. One that cannot be read is set aside: as long as the journal has all
/// facts, it is replayed from the first one.
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
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Checkpoints are written beside Akka.");

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override Task DeleteAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken) => Task.CompletedTask;

    private SelectedSnapshot? Load(string persistenceId)
    {
        if (!File.Exists(_setup.Store)) return null;
        var begun = Stopwatch.GetTimestamp();
        var state = _setup.NewState();
        if (Read(persistenceId, state) is not { } head) return null;
        _log.Info(
            "Checkpoint of {0} keys at uid {1} read in {2} ms; facts from {3} on are replayed", head.Keys, head.Base.Applied,
            (long)Stopwatch.GetElapsedTime(begun).TotalMilliseconds, head.Base.ReplayFrom);
        return new SelectedSnapshot(
            new SnapshotMetadata(persistenceId, head.Base.ReplayFrom - 1, File.GetLastWriteTimeUtc(_setup.Store)),
            new RestoredReplica(head.Base, state, JournalEnd(persistenceId)));
    }

    private StoreHead? Read(string persistenceId, KeyValueState state)
    {
        try
        {
            var head = StoreFile.Load(_setup.Store, state);
            return head is null || head.Replica == persistenceId ? head : throw new FormatException($"it is of {head.Replica}");
        }
        catch (Exception e) when (JournalFile.IsPassing(e) || e is OutOfMemoryException)
        {
            throw new NodeFailedException($"{_setup.Store} cannot be read: {JournalFile.InWords(e)}", e);
        }
#pragma warning disable CA1031 // Whatever it is that cannot be read, or followed: the journal has everything.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.Warning(
                "{0} cannot be used: {1}. It is set aside as {2}{3}, and the whole journal is replayed", _setup.Store,
                e.Message.ReplaceLineEndings(" "), StoreFile.Name, Damaged);
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

    private long JournalEnd(string persistenceId)
    {
        var connection = new SqliteConnection(JournalFile.ConnectionString(_setup.Journal));
        connection.Open();
        using var table = new JournalTable(connection);
        return table.Highest(persistenceId);
    }
}
