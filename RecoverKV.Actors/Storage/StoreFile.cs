using System.Globalization;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using SQLitePCL;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R10: a replica's checkpoint, in SQLite: its keys, its sessions, and where the log goes on. One transaction changes it from one
/// uid to another, so that whenever a process dies it is of one uid. Each row has a checksum, and all keys together
/// have the state's digest. Not thread-safe.
/// </summary>
internal sealed class StoreFile : IDisposable
{
    /// <summary>Its name in the data folder.</summary>
    public const string Name = "store.db";

    /// <summary>The version of the form; another one is not read.</summary>
    public const int Format = 1;

    private const int ApplicationId = 0x524B5631; // RKV1

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

    private readonly PacedSync _log, _file;
    private readonly string _folder;

    private StoreFile(SqliteConnection connection, string path)
    {
        (_connection, _log, _file) = (connection, new PacedSync(path + "-wal"), new PacedSync(path));
        _folder = Path.GetDirectoryName(path)!;
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
        var connection = Connect(path, SqliteOpenMode.ReadWrite);
        try
        {
            JournalFile.Execute(connection, "PRAGMA journal_mode = WAL");
            // What SQLite syncs at once is synced here in steps, at the same points.
            JournalFile.Execute(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 0");
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
        var temporary = path + ".new";
        JournalFile.Delete(temporary);
        using (var connection = Connect(temporary, SqliteOpenMode.ReadWriteCreate)) JournalFile.Execute(connection, Schema);
        using (var file = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) file.Flush(flushToDisk: true);
        DurableFiles.Move(temporary, path);
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
        // From here on it counts for a process that is killed; and once its log is on the disk also where power fails. Only then
        // may it move into the file; and only when the file is on the disk, too, may the next one begin the log anew.
        JournalFile.Execute(_connection, "COMMIT");
        _log.Finish();
        DurableFiles.FlushFolder(_folder);
        JournalFile.Execute(_connection, "PRAGMA wal_checkpoint(PASSIVE)");
        _file.Finish();
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

    /// <summary>Reads the whole file into an empty state; null if it has no checkpoint yet.</summary>
    /// <exception cref="FormatException">It is damaged, or of another version.</exception>
    /// <exception cref="SqliteException">It is damaged, or cannot be read.</exception>
    public static StoreHead? Load(string path, KeyValueState state)
    {
        using var connection = Connect(path, SqliteOpenMode.ReadWrite);
        if (JournalFile.Scalar(connection, "SELECT COUNT(*) FROM sqlite_master") is 0L) throw new FormatException("it is empty");
        if (JournalFile.Scalar(connection, "PRAGMA user_version") is not (long)Format)
            throw new FormatException($"it has form {JournalFile.Scalar(connection, "PRAGMA user_version")}, this build knows {Format}");
        if (StoreHead.Read(connection) is not { } head) return null;
        state.Reserve(head.Keys);
        LoadRecords(connection, state);
        LoadSessions(connection, state);
        if (state.Count != head.Keys || state.Digest != head.Digest)
            throw new FormatException($"it has {state.Count} keys of {head.Keys}, or others than it was written with");
        if (state.Sessions.Count != head.Sessions || state.Sessions.Bytes != head.SessionBytes)
            throw new FormatException($"it has {state.Sessions.Count} sessions of {head.Sessions}, or others than it was written with");
        state.Restore(head.Base.Applied, head.Revision);
        return head;
    }

    private static void LoadRecords(SqliteConnection connection, KeyValueState state)
    {
        using var statement = Prepare(connection, "SELECT key, value, uid, created, modified, version, checksum FROM records ORDER BY key");
        var buffer = new byte[1024];
        while (NextRow(connection, statement))
        {
            var key = raw.sqlite3_column_blob(statement, 0);
            if (key.Length > buffer.Length) buffer = new byte[2 * key.Length];
            key.CopyTo(buffer);
            var fields = new RecordFields(Number(statement, 3), Number(statement, 4), Number(statement, 5));
            var value = raw.sqlite3_column_blob(statement, 1);
            var uid = Number(statement, 2);
            var digest = KeyValueState.DigestOf(key, value, uid, fields);
            if (digest != (ulong)Number(statement, 6)) throw new FormatException($"the record of uid {uid} is damaged");
            state.Restore(new Client.Key(buffer.AsMemory(0, key.Length)), value, uid, fields, digest);
        }
    }

    private static void LoadSessions(SqliteConnection connection, KeyValueState state)
    {
        using var statement = Prepare(connection, "SELECT id, low_water, used, answers, checksum FROM sessions ORDER BY used");
        while (NextRow(connection, statement))
        {
            var answers = raw.sqlite3_column_blob(statement, 3).ToArray();
            var (id, lowWater, used) = (Number(statement, 0), Number(statement, 1), Number(statement, 2));
            if (SessionCodec.Checksum(id, lowWater, used, answers) != (ulong)Number(statement, 4))
                throw new FormatException($"session {id} is damaged");
            state.Sessions.Restore(new SessionRecord(id, lowWater, used, SessionCodec.Decode(answers)));
        }
    }

    private static long Number(sqlite3_stmt statement, int column) => raw.sqlite3_column_int64(statement, column);

    private static bool NextRow(SqliteConnection connection, sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE)) throw Failure(connection, result);
        return result == raw.SQLITE_ROW;
    }

    private void Put(in KeyRecord record)
    {
        raw.sqlite3_bind_blob(_put, 1, record.Key.Span);
        BindBytes(_put, 2, record.Value.Span);
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
        BindBytes(_session, 4, answers);
        raw.sqlite3_bind_int64(
            _session, 5, (long)SessionCodec.Checksum(session.Id, session.LowWater, session.Used, answers));
        Step(_session);
    }

    // Of no bytes at all SQLite would make a null.
    private static void BindBytes(sqlite3_stmt statement, int index, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) raw.sqlite3_bind_zeroblob(statement, index, 0);
        else raw.sqlite3_bind_blob(statement, index, bytes);
    }

    private void Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE) throw Failure(_connection, result);
    }

    private sqlite3_stmt Prepare(string sql) => Prepare(_connection, sql);

    private static sqlite3_stmt Prepare(SqliteConnection connection, string sql)
    {
        var result = raw.sqlite3_prepare_v2(connection.Handle, sql, out var statement);
        return result == raw.SQLITE_OK ? statement : throw Failure(connection, result);
    }

    private static SqliteException Failure(SqliteConnection connection, int result) =>
        new(raw.sqlite3_errmsg(connection.Handle).utf8_to_string(), result & 0xFF, result);

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(JournalFile.ConnectionString(path, mode, pooling: false));
        connection.Open();
        return connection;
    }
}
