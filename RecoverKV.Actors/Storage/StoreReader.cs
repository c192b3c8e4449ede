using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using SQLitePCL;

namespace RecoverKV.Actors.Storage;

/// <summary>R10: reads checkpoints (<see cref="StoreFile"/>). Thread-safe: each call has a connection of its own, and
/// sees the file at one uid.</summary>
internal static class StoreReader
{
    private const string AllRecords = "SELECT key, value, uid, created, modified, version, checksum FROM records";
    private const string AllSessions = "SELECT id, low_water, used, answers, checksum FROM sessions";

    /// <summary>Reads the whole file into an empty state; null if it has no checkpoint yet.</summary>
    /// <exception cref="FormatException">It is damaged, or of another version.</exception>
    /// <exception cref="SqliteException">It is damaged, or cannot be read.</exception>
    public static StoreHead? Load(string path, KeyValueState state)
    {
        using var connection = OpenForReading(path);
        if (StoreHead.Read(connection) is not { } head) return null;
        state.Reserve(head.Keys);
        LoadRecords(connection, state);
        LoadSessions(connection, state);
        var found = new StateTotals(0, state.Count, state.Digest, state.Sessions.Count, state.Sessions.Bytes);
        if (head.Totals.Differs(found) is { } wrong)
            throw new FormatException($"it has {wrong} than it was written with");
        state.Restore(head.Base.Applied, head.Revision);
        return head;
    }

    /// <summary>The part of a checkpoint behind a cursor, for a peer or a backup, and its uid; null if the checkpoint
    /// is of another uid.</summary>
    /// <param name="path">The file.</param>
    /// <param name="at">The uid that it must be of; null for any.</param>
    /// <param name="after">Where the part before ended; null for the first.</param>
    /// <param name="maxBytes">About the most bytes, unless a single record has more.</param>
    /// <exception cref="FormatException">It is damaged.</exception>
    /// <exception cref="SqliteException">It is damaged, or cannot be read.</exception>
    public static (Uid At, StateChunk Chunk)? Part(string path, Uid? at, StateCursor? after, long maxBytes)
    {
        using var connection = OpenForReading(path);
        using var transaction = connection.BeginTransaction(deferred: true);
        if (StoreHead.Read(connection) is not { } head || at is not null && head.Base.Applied != at) return null;
        return (head.Base.Applied, Part(connection, head.Totals, after, maxBytes));
    }

    private static StateChunk Part(SqliteConnection connection, StateTotals totals, StateCursor? after, long maxBytes)
    {
        var part = new StatePart();
        var (cursor, left) = (after ?? new StateCursor(default, 0, 0), maxBytes);
        if (cursor.Session == 0)
        {
            foreach (var record in Records(connection, after?.Key))
            {
                // The last key comes a second time, as the cursor.
                left -= 2 * record.Key.Length + record.Value.Length + RecordOverhead;
                if (left < 0 && part.Keys.Count > 0) return new StateChunk(part, cursor, totals);
                part.Keys.Add(record);
                cursor = cursor with { Key = record.Key };
            }
        }

        foreach (var session in Sessions(connection, cursor.Session))
        {
            var from = session.Id == cursor.Session ? cursor.Answers : 0;
            if (session.Id == cursor.Session && from == session.Answers.Length) continue;
            if (left < 0 && part.Keys.Count + part.Sessions.Count > 0) return new StateChunk(part, cursor, totals);
            var to = from;
            left -= RecordOverhead;
            while (to < session.Answers.Length && (left > 0 || to == from))
                left -= SessionTable.Size(session.Answers[to++]);
            part.Sessions.Add(session with { Answers = session.Answers[from..to] });
            cursor = cursor with { Session = session.Id, Answers = to };
            if (to < session.Answers.Length) return new StateChunk(part, cursor, totals);
        }

        return new StateChunk(part, null, totals);
    }

    // What a record takes in a message besides its bytes, at most.
    private const int RecordOverhead = 64;

    /// <summary>What a peer's state that is not all there has by now; null if there is none.</summary>
    public static TakenState? Progress(string path)
    {
        if (!File.Exists(path)) return null;
        using var connection = OpenForReading(path);
        if (IncomingOf(connection) is not { } at) return null;
        var keys = (long)JournalFile.Scalar(connection, "SELECT keys FROM incoming")!;
        var bytes = JournalFile.Files(path).Sum(f => new FileInfo(f).Length);
        if (JournalFile.Scalar(connection, "SELECT MAX(id) FROM sessions") is long last)
            return new TakenState(
                at, new StateCursor(default, last, Session(connection, last)!.Answers.Length), keys, bytes);
        return JournalFile.Scalar(connection, "SELECT key FROM records ORDER BY key DESC LIMIT 1") is byte[] key
            ? new TakenState(at, new StateCursor(key, 0, 0), keys, bytes)
            : null;
    }

    /// <summary>The uid of the state that a file takes from a peer; null if it is none.</summary>
    internal static Uid? IncomingOf(SqliteConnection connection) =>
        JournalFile.Scalar(connection, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'incoming'") is 1L
        && JournalFile.Scalar(connection, "SELECT uid FROM incoming") is long uid ? new Uid(uid) : null;

    /// <summary>One session; null if it is not there.</summary>
    internal static SessionRecord? Session(SqliteConnection connection, long id) =>
        Sessions(connection, id).FirstOrDefault() is { } session && session.Id == id ? session : null;

    /// <summary>All keys and sessions together; the revision is in none of them.</summary>
    /// <exception cref="FormatException">One of them is damaged.</exception>
    internal static StateTotals Sum(SqliteConnection connection)
    {
        var (keys, digest, sessions, bytes) = (0L, 0UL, 0L, 0L);
        using (var statement = Prepare(connection, AllRecords))
        {
            while (NextRow(connection, statement))
            {
                keys++;
                digest += new RecordRow(statement).Digest;
            }
        }

        foreach (var session in Sessions(connection, 0))
        {
            sessions++;
            foreach (var answer in session.Answers) bytes += SessionTable.Size(answer);
        }

        return new StateTotals(0, keys, digest, sessions, bytes);
    }

    private static void LoadRecords(SqliteConnection connection, KeyValueState state)
    {
        using var statement = Prepare(connection, AllRecords + " ORDER BY key");
        var buffer = new byte[1024];
        while (NextRow(connection, statement))
        {
            var row = new RecordRow(statement);
            if (row.Key.Length > buffer.Length) buffer = new byte[2 * row.Key.Length];
            row.Key.CopyTo(buffer);
            state.Restore(
                new Client.Key(buffer.AsMemory(0, row.Key.Length)), row.Value, row.Uid, row.Fields, row.Digest);
        }
    }

    private static void LoadSessions(SqliteConnection connection, KeyValueState state)
    {
        foreach (var session in Sessions(connection, 0).OrderBy(s => s.Used).ToList()) state.Sessions.Restore(session);
    }

    private static IEnumerable<KeyRecord> Records(SqliteConnection connection, ReadOnlyMemory<byte>? after)
    {
        using var statement = Prepare(
            connection, AllRecords + (after is null ? "" : " WHERE key > ?") + " ORDER BY key");
        if (after is { } key) BindBytes(statement, 1, key.Span);
        while (NextRow(connection, statement))
        {
            yield return new RecordRow(statement).ToRecord();
        }
    }

    private static IEnumerable<SessionRecord> Sessions(SqliteConnection connection, long from)
    {
        using var statement = Prepare(connection, AllSessions + " WHERE id >= ? ORDER BY id");
        raw.sqlite3_bind_int64(statement, 1, from);
        while (NextRow(connection, statement))
        {
            var answers = raw.sqlite3_column_blob(statement, 3).ToArray();
            var (id, lowWater, used) = (Number(statement, 0), Number(statement, 1), Number(statement, 2));
            if (SessionCodec.Checksum(id, lowWater, used, answers) != (ulong)Number(statement, 4))
                throw new FormatException($"session {id} is damaged");
            yield return new SessionRecord(
                id, lowWater, used, OtherFormException.UnlessKnown(() => SessionCodec.Decode(answers)));
        }
    }

    // A row of AllRecords, valid until the next step. Each column is read once, as a call into SQLite takes longer than
    // what is done with most of them.
    private readonly ref struct RecordRow
    {
        public RecordRow(sqlite3_stmt statement)
        {
            Key = raw.sqlite3_column_blob(statement, 0);
            Value = raw.sqlite3_column_blob(statement, 1);
            Uid = Number(statement, 2);
            Fields = new RecordFields(Number(statement, 3), Number(statement, 4), Number(statement, 5));
            Digest = KeyValueState.DigestOf(Key, Value, Uid, Fields);
            if (Digest != (ulong)Number(statement, 6)) throw new FormatException($"the record of uid {Uid} is damaged");
        }

        public ReadOnlySpan<byte> Key { get; }

        public ReadOnlySpan<byte> Value { get; }

        public long Uid { get; }

        public RecordFields Fields { get; }

        /// <summary>Its part of the digest, which is its checksum.</summary>
        public ulong Digest { get; }

        public KeyRecord ToRecord() => new(Key.ToArray(), Value.ToArray(), Uid, Fields);
    }

    private static long Number(sqlite3_stmt statement, int column) => raw.sqlite3_column_int64(statement, column);

    private static bool NextRow(SqliteConnection connection, sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE)) throw Failure(connection, result);
        return result == raw.SQLITE_ROW;
    }

    /// <summary>Of no bytes at all SQLite would make a null.</summary>
    internal static void BindBytes(sqlite3_stmt statement, int index, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) raw.sqlite3_bind_zeroblob(statement, index, 0);
        else raw.sqlite3_bind_blob(statement, index, bytes);
    }

    internal static sqlite3_stmt Prepare(SqliteConnection connection, string sql)
    {
        var result = raw.sqlite3_prepare_v2(connection.Handle, sql, out var statement);
        return result == raw.SQLITE_OK ? statement : throw Failure(connection, result);
    }

    internal static SqliteException Failure(SqliteConnection connection, int result) =>
        new(raw.sqlite3_errmsg(connection.Handle).utf8_to_string(), result & 0xFF, result);

    internal static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(JournalFile.ConnectionString(path, mode, pooling: false));
        connection.Open();
        return connection;
    }

    internal static SqliteConnection OpenForReading(string path, SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        var connection = Connect(path, mode);
        try
        {
            if (JournalFile.Scalar(connection, "SELECT COUNT(*) FROM sqlite_master") is 0L)
                throw new FormatException("it is empty");
            if (JournalFile.Scalar(connection, "PRAGMA user_version") is var form and not (long)StoreFile.Format)
                throw new OtherFormException($"it has form {form}, this build knows {StoreFile.Format}");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
