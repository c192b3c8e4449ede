using System.Globalization;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using SQLitePCL;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R10: a replica's checkpoint, in SQLite: its keys, its sessions, and where the log goes on. One transaction changes
/// it from one uid to another, so that whenever a process dies it is of one uid. Each row has a checksum, and all keys
/// together have the state's digest. Not thread-safe.
/// </summary>
internal sealed class StoreFile : IDisposable
{
    /// <summary>Its name in the data folder.</summary>
    public const string Name = "store.db";

    /// <summary>R10: what follows its name in that of a peer's state that is not all there.</summary>
    public const string Incoming = ".incoming";

    /// <summary>R10: what follows its name in that of one that is made anew, as it is damaged.</summary>
    public const string Anew = ".anew";

    // What follows its name while it is made.
    private const string New = ".new";

    /// <summary>The version of the form; another one is not read.</summary>
    public const int Format = 1;

    /// <summary>By which SQLite's own tools know it.</summary>
    public const int ApplicationId = 0x524B5631; // RKV1

    // Leases and what compaction keeps of history come later; the form has their place.
    private static readonly string Schema = string.Create(CultureInfo.InvariantCulture, $"""
        PRAGMA page_size = 8192;
        BEGIN;
        PRAGMA application_id = {ApplicationId};
        PRAGMA user_version = {Format};
        CREATE TABLE checkpoint (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          replica TEXT NOT NULL,
          cluster BLOB NOT NULL,
          uid INTEGER NOT NULL,
          revision INTEGER NOT NULL,
          compacted INTEGER NOT NULL,
          keys INTEGER NOT NULL,
          digest INTEGER NOT NULL,
          sessions INTEGER NOT NULL,
          session_bytes INTEGER NOT NULL,
          log BLOB NOT NULL,
          checksum INTEGER NOT NULL
        );
        CREATE TABLE records (
          key BLOB PRIMARY KEY NOT NULL,
          value BLOB NOT NULL,
          uid INTEGER NOT NULL,
          created INTEGER NOT NULL,
          modified INTEGER NOT NULL,
          version INTEGER NOT NULL,
          lease INTEGER NOT NULL,
          checksum INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE sessions (
          id INTEGER PRIMARY KEY,
          low_water INTEGER NOT NULL,
          used INTEGER NOT NULL,
          answers BLOB NOT NULL,
          checksum INTEGER NOT NULL
        );
        CREATE VIEW texts AS
          SELECT CAST(key AS TEXT) AS key, CAST(value AS TEXT) AS value, uid, created, modified, version FROM records;
        COMMIT;
        """);

    private readonly SqliteConnection _connection;
    private readonly sqlite3_stmt _put, _delete, _session, _end;

    private const long LongestLog = 64 * 1024 * 1024;

    private readonly PacedSync _log, _file;
    private readonly string _path;
    private readonly string _folder;

    private StoreFile(SqliteConnection connection, string path)
    {
        (_connection, _log, _file) = (connection, new PacedSync(path + "-wal"), new PacedSync(path));
        (_path, _folder) = (path, Path.GetDirectoryName(path)!);
        _put = Prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, 0, ?)");
        _delete = Prepare("DELETE FROM records WHERE key = ?");
        _session = Prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)");
        _end = Prepare("DELETE FROM sessions WHERE id = ?");
    }

    /// <summary>Opens the file for writing, or makes it.</summary>
    /// <exception cref="SqliteException">That cannot be.</exception>
    public static StoreFile Open(string path)
    {
        if (!File.Exists(path)) Create(path);
        var connection = StoreReader.Connect(path, SqliteOpenMode.ReadWrite);
        try
        {
            JournalFile.Execute(connection, "PRAGMA journal_mode = WAL");
            // What SQLite syncs at once is synced here in steps, at the same points.
            JournalFile.Execute(
                connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 0");
            JournalFile.Execute(connection, "PRAGMA journal_size_limit = 67108864");
            return new StoreFile(connection, path);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Under its name it is whole.
    private static void Create(string path)
    {
        var temporary = path + New;
        JournalFile.Delete(temporary);
        using (var connection = StoreReader.Connect(temporary, SqliteOpenMode.ReadWriteCreate))
            JournalFile.Execute(connection, Schema);
        using (var file = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            file.Flush(flushToDisk: true);
        DurableFiles.Move(temporary, path);
    }

    /// <summary>Deletes a file with all that there may be beside it. It must not be open.</summary>
    public static void Delete(string path)
    {
        JournalFile.Delete(path);
        DeleteUnfinished(path);
    }

    /// <summary>Deletes what a process that was killed has left of a file that it was about to make.</summary>
    public static void DeleteUnfinished(string path) => JournalFile.Delete(path + New);

    /// <summary>Whether another process has a file open, or is about to make it.</summary>
    public static bool IsInUse(string path) => IsLocked(path) || IsLocked(path + New);

    private static bool IsLocked(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var connection = StoreReader.Connect(path, SqliteOpenMode.ReadWrite);
            JournalFile.Scalar(connection, "SELECT COUNT(*) FROM sqlite_master");
            return false;
        }
        catch (SqliteException e)
        {
            return e.SqliteErrorCode == raw.SQLITE_BUSY;
        }
    }

    /// <summary>Begins to change it.</summary>
    /// <param name="all">Whether nothing of what it has counts any more.</param>
    public void Begin(bool all)
    {
        _log.Begin();
        JournalFile.Execute(_connection, "BEGIN IMMEDIATE");
        if (all) JournalFile.Execute(_connection, "DELETE FROM records; DELETE FROM sessions");
    }

    /// <summary>Writes a part of the changes.</summary>
    public void Write(StatePart part)
    {
        foreach (var key in part.Deleted)
        {
            raw.sqlite3_bind_blob(_delete, 1, key);
            Step(_delete);
        }

        foreach (var record in part.Keys) Put(record);
        foreach (var id in part.Ended)
        {
            raw.sqlite3_bind_int64(_end, 1, id);
            Step(_end);
        }

        foreach (var session in part.Sessions) Put(session);
        _log.Run();
    }

    /// <summary>All changes are written: from now on it is of another uid, on the disk.</summary>
    public void Finish(StoreHead head)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "INSERT OR REPLACE INTO checkpoint VALUES "
            + "(1, $replica, $cluster, $uid, $revision, 0, $keys, $digest, $sessions, $session_bytes, $log, $checksum)";
        head.WriteTo(command.Parameters);
        command.ExecuteNonQuery();
        // From here on it counts for a process that is killed; and once its log is on the disk also where power fails.
        // Only then may it move into the file; and only when the file is on the disk, too, may the next one begin the
        // log anew.
        JournalFile.Execute(_connection, "COMMIT");
        DurableFiles.FlushFolder(_folder);
        Sync();
    }

    /// <summary>R10: writes a part of a peer's state, which counts for this process, and for the next. Of a session
    /// there may be a part already.</summary>
    /// <exception cref="FormatException">It is a part of another state.</exception>
    public void Take(Uid at, StatePart part)
    {
        Begin(all: false);
        var of = StoreReader.IncomingOf(_connection);
        if (of is null)
            JournalFile.Execute(_connection, string.Create(
                CultureInfo.InvariantCulture,
                $"CREATE TABLE incoming (uid INTEGER NOT NULL, keys INTEGER NOT NULL); "
                + $"INSERT INTO incoming VALUES ({at.Value}, 0)"));
        else if (of != at) throw new FormatException($"it takes the state at uid {of}, not at {at}");
        for (var i = 0; i < part.Sessions.Count; i++)
        {
            if (StoreReader.Session(_connection, part.Sessions[i].Id) is { } begun)
                part.Sessions[i] = begun.With(part.Sessions[i]);
        }

        Write(part);
        JournalFile.Execute(_connection, string.Create(
            CultureInfo.InvariantCulture, $"UPDATE incoming SET keys = keys + {part.Keys.Count}"));
        JournalFile.Execute(_connection, "COMMIT");
        // Its log would have all of it else; what a power loss makes of it is found when all is there.
        if (new FileInfo(_path + "-wal").Length > LongestLog)
            JournalFile.Execute(_connection, "PRAGMA wal_checkpoint(PASSIVE)");
    }

    /// <summary>All that was written is on the disk. Where that is full it stays in the log of the file, until there is
    /// room.</summary>
    public void Sync()
    {
        _log.Finish();
        try
        {
            JournalFile.Execute(_connection, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        catch (SqliteException e) when (JournalFile.IsPassing(e))
        {
            return;
        }

        _file.Finish();
    }

    /// <summary>R10: all keys and sessions that it has.</summary>
    /// <exception cref="FormatException">A record is damaged.</exception>
    public StateTotals Sum() => StoreReader.Sum(_connection);

    /// <summary>R10: a peer's state is all there: from now on it is the replica's own checkpoint.</summary>
    public void FinishIncoming(StoreHead head)
    {
        Begin(all: false);
        JournalFile.Execute(_connection, "DROP TABLE incoming");
        Finish(head);
    }

    /// <summary>It needs no file beside it any more, and can be read where nothing may be written.</summary>
    public void MakeSingle()
    {
        JournalFile.Execute(_connection, "PRAGMA synchronous = FULL");
        JournalFile.Execute(_connection, "PRAGMA journal_mode = DELETE");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in new[] { _put, _delete, _session, _end }) statement.Dispose();
        try
        {
            // What was not finished is undone; and what closing moves into the file is synced by SQLite.
            if (raw.sqlite3_get_autocommit(_connection.Handle) == 0) JournalFile.Execute(_connection, "ROLLBACK");
            JournalFile.Execute(_connection, "PRAGMA synchronous = FULL");
        }
        catch (SqliteException)
        {
            // A disk that fails; the log stays, and is read at the next start.
        }

        _connection.Dispose();
        _log.Dispose();
        _file.Dispose();
    }

    private void Put(in KeyRecord record)
    {
        raw.sqlite3_bind_blob(_put, 1, record.Key.Span);
        StoreReader.BindBytes(_put, 2, record.Value.Span);
        raw.sqlite3_bind_int64(_put, 3, record.Uid);
        raw.sqlite3_bind_int64(_put, 4, record.Fields.Created);
        raw.sqlite3_bind_int64(_put, 5, record.Fields.Modified);
        raw.sqlite3_bind_int64(_put, 6, record.Fields.Version);
        raw.sqlite3_bind_int64(
            _put, 7, (long)KeyValueState.DigestOf(record.Key.Span, record.Value.Span, record.Uid, record.Fields));
        Step(_put);
    }

    private void Put(SessionRecord session)
    {
        var answers = SessionCodec.Encode(session.Answers);
        raw.sqlite3_bind_int64(_session, 1, session.Id);
        raw.sqlite3_bind_int64(_session, 2, session.LowWater);
        raw.sqlite3_bind_int64(_session, 3, session.Used);
        StoreReader.BindBytes(_session, 4, answers);
        raw.sqlite3_bind_int64(
            _session, 5, (long)SessionCodec.Checksum(session.Id, session.LowWater, session.Used, answers));
        Step(_session);
    }

    private void Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE) throw StoreReader.Failure(_connection, result);
    }

    private sqlite3_stmt Prepare(string sql) => StoreReader.Prepare(_connection, sql);
}
