using System.Data.Common;
using System.Globalization;
using System.Runtime.Serialization;
using Akka.Actor.Setup;
using Akka.Persistence.Sql.Config;
using LinqToDB;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Storage;

/// <summary>The SQLite file of a replica's journal, with the table of Akka.Persistence.Sql.</summary>
public static class JournalFile
{
    /// <summary>Its name in the data folder.</summary>
    public const string Name = "journal.db";

    /// <summary>Up to this size the whole file is checked at the start. A larger one would hold up the start for
    /// seconds; damage is then noticed by the replay, which reads every event and its checksum anyway.</summary>
    internal const long FullCheckLimit = 32L * 1024 * 1024;

    private const int SqliteError = 1;
    private const int SqliteBusy = 5;
    private const int SqliteIoWrite = 778;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteCannotOpen = 14;
    private const int SqliteConstraint = 19;
    private const int SqliteMismatch = 20;
    private const int SqliteNotADatabase = 26;

    // Of SQLite's header: the versions that a program must know to write and to read the file. 2 stands for a
    // write-ahead log, 1 for a file without one, as tools make it that copy a database.
    private const int WriteVersion = 18, ReadVersion = 19;

    /// <summary>The plugin's table without the indexes that only its queries by tag and time want.</summary>
    private const string Schema = """
        CREATE TABLE journal (
          ordering INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
          deleted BOOLEAN NOT NULL,
          persistence_id VARCHAR(255) NOT NULL,
          sequence_number BIGINT NOT NULL,
          created BIGINT NOT NULL,
          tags VARCHAR(100),
          message BLOB NOT NULL,
          identifier INTEGER,
          manifest VARCHAR(500),
          writer_uuid VARCHAR(128)
        );
        CREATE UNIQUE INDEX journal_uq ON journal (persistence_id, sequence_number);
        """;

    /// <summary>How the journal's plugin connects; with further PRAGMAs for each connection, for specs.</summary>
    internal static DataOptions DataOptions(string path, Durability durability, string pragmas = "")
    {
        var setUp = SetUp(durability, pragmas);
        return new DataOptions().UseConnectionString(ProviderName.SQLiteMS, ConnectionString(path))
            .UseAfterConnectionOpened(
                connection => Execute(connection, setUp),
                (connection, _) =>
                {
                    // SQLite has no asynchronous calls: the provider's would run the same way.
                    Execute(connection, setUp);
                    return Task.CompletedTask;
                });
    }

    /// <summary>All that an actor system needs to know of its journal, and of the checkpoint beside it.</summary>
    internal static Setup[] Setups(
        string path, Durability durability, string pragmas = "", Func<KeyValueState>? newState = null) =>
    [
        new DataOptionsSetup(DataOptions(path, durability, pragmas)),
        new ReplicaJournalSetup(path, durability, pragmas),
        new StoreSnapshotsSetup(path, newState ?? (() => new KeyValueState())),
    ];

    /// <summary>A connection that events are written by, or moved from the write-ahead log into the file: a commit does
    /// the former only.</summary>
    internal static SqliteConnection ConnectForWriting(string path, Durability durability, string pragmas)
    {
        var connection = new SqliteConnection(ConnectionString(path, pooling: false));
        try
        {
            connection.Open();
            Execute(connection, $"{SetUp(durability, pragmas)}; PRAGMA wal_autocheckpoint = 0");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // full: each commit waits for the disk. os: each commit is written, and only moving the write-ahead log into the
    // file waits for the disk, so that a power loss takes the last events, but never damages the file.
    private static string SetUp(Durability durability, string pragmas) =>
        $"PRAGMA synchronous = {(durability == Durability.Full ? "FULL" : "NORMAL")}; "
        + $"PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; {pragmas}";

    /// <summary>What an exception of the journal means to the operator, if it means that the file is damaged.</summary>
    public static NodeFailedException? Damage(string path, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is NodeFailedException known) return known;
            if (IsOfTheDisk(cause)) return Damaged(path, cause.Message, exception);
            // What was written wrong, or by a newer build, is no damage of the disk.
            if (cause is OtherFormException or SerializationException or InvariantViolationException
                or InvalidCastException or SqliteException { SqliteErrorCode: SqliteError })
                return new NodeFailedException(Damaged(path, cause.Message, exception).Message, exception);
        }

        return null;
    }

    /// <summary>What the operator must know of a replay that failed: whatever the facts cannot be read or followed for,
    /// it is damage, unless the machine has no memory, or no disk, at the moment.</summary>
    internal static NodeFailedException NotReplayed(string path, Exception exception)
    {
        if (Damage(path, exception) is { } damage) return damage;
        var cause = exception.GetBaseException();
        return cause is SqliteException { SqliteErrorCode: not SqliteConstraint } or IOException
            or UnauthorizedAccessException
            or OutOfMemoryException or TimeoutException or Akka.Persistence.RecoveryTimedOutException
            ? new NodeFailedException($"{path} cannot be replayed: {cause.OneLine()}", exception)
            : new NodeFailedException(Damaged(path, cause.Message, exception).Message, exception);
    }

    /// <summary>Whether the disk gave back other bytes than were written. Whatever else goes wrong may be a mistake of
    /// this program, or pass.</summary>
    internal static bool IsOfTheDisk(Exception exception) =>
        exception is FormatException and not OtherFormException
            or SqliteException { SqliteErrorCode: SqliteCorrupt or SqliteNotADatabase or SqliteMismatch };

    /// <summary>Whether nothing is wrong with the file, and what failed may succeed later: its disk is full, somebody
    /// else has locked it, no file can be opened. Then SQLite has undone what it had begun, in the file and in
    /// memory.</summary>
    internal static bool IsPassing(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: SqliteFull or SqliteBusy or SqliteCannotOpen }
            or SqliteException { SqliteExtendedErrorCode: SqliteIoWrite };

    /// <summary>What a passing failure is, for a client that waits.</summary>
    internal static string InWords(Exception exception) => exception is SqliteException e
        ? e.SqliteErrorCode switch
        {
            SqliteFull => "the disk is full",
            SqliteBusy => "another program has locked the journal",
            SqliteCannotOpen => "the journal cannot be opened",
            _ => "the disk cannot be written",
        }
        : exception.Message;

    /// <summary>Makes an empty journal. It appears under its name when it is complete and on disk.</summary>
    internal static void Create(string path)
    {
        var temporary = path + ".new";
        Delete(temporary);
        using (var connection = new SqliteConnection(
            ConnectionString(temporary, SqliteOpenMode.ReadWriteCreate, pooling: false)))
        {
            connection.Open();
            // Space of facts that are forgotten can be given back.
            Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
            Execute(connection, Schema);
            // Recorded in the file: commits append to a log instead of rewriting pages, and readers do not block them.
            Execute(connection, "PRAGMA journal_mode = WAL");
        }

        using (var file = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            file.Flush(flushToDisk: true);
        DurableFiles.Move(temporary, path);
    }

    /// <summary>Whether there is an event in it.</summary>
    internal static bool IsEmpty(string path) => Read(path, connection =>
        Scalar(connection, "SELECT COUNT(*) FROM (SELECT 1 FROM journal LIMIT 1)") is 0L);

    /// <summary>Refuses a journal that is damaged or of another replica.</summary>
    /// <exception cref="NodeFailedException">It must not be used.</exception>
    internal static void Check(string path, string persistenceId, long fullCheckLimit = FullCheckLimit)
    {
        CheckHeader(path);
        Read(path, connection =>
        {
            if (Scalar(connection, "PRAGMA journal_mode = WAL") is not "wal")
                throw Damaged(path, "it takes no write-ahead log", null);
            if (new FileInfo(path).Length <= fullCheckLimit) CheckWhole(path, connection);

            // Each of these is one step in the index.
            foreach (var end in new[] { "MIN", "MAX" })
            {
                if (Scalar(connection, $"SELECT {end}(persistence_id) FROM journal") is string found
                    && found != persistenceId)
                    throw new NodeFailedException(
                        $"{path} is of another replica than the identity file beside it. {HowToStartOver(path)}");
            }

            return true;
        });
    }

    // SQLite takes a file whose write version it does not know for one that it may only read, and says so at each
    // write. To be called before it has the file open: to close a file lets go of all locks that the process has on it.
    private static void CheckHeader(string path)
    {
        Span<byte> header = stackalloc byte[ReadVersion + 1];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length
            && (header[WriteVersion] != header[ReadVersion] || header[WriteVersion] is not (1 or 2)))
            throw Damaged(path, $"its header has the versions {header[WriteVersion]} and {header[ReadVersion]}", null);
    }

    private static void CheckWhole(string path, SqliteConnection connection)
    {
        var result = Scalar(connection, "PRAGMA quick_check(1)") as string ?? "it cannot be checked";
        // What SQLite says where a page cannot be read; 11 is for one that is no page. The others may pass.
        if (result.Contains("error code=", StringComparison.Ordinal)
            && !result.Contains("error code=11", StringComparison.Ordinal))
            throw new NodeFailedException($"{path} cannot be read: {result.ReplaceLineEndings(" ")}");
        if (result != "ok") throw Damaged(path, result, null);
        var missing = Scalar(
            connection, "SELECT MAX(sequence_number) - MIN(sequence_number) + 1 - COUNT(*) FROM journal");
        if (missing is long and not 0)
            throw Damaged(path, string.Create(CultureInfo.InvariantCulture, $"{missing} events are missing"), null);
    }

    /// <summary>Lets go of the file.</summary>
    internal static void Close(string path)
    {
        using var connection = new SqliteConnection(ConnectionString(path));
        SqliteConnection.ClearPool(connection);
    }

    /// <summary>The files that SQLite keeps for a journal: the file, its write-ahead log and that one's
    /// index.</summary>
    internal static IEnumerable<string> Files(string path) =>
        new[] { path, path + "-wal", path + "-shm", path + "-journal" }.Where(File.Exists);

    internal static void Delete(string path)
    {
        foreach (var file in Files(path)) File.Delete(file);
    }

    internal static DamagedFolderException Damaged(string path, string how, Exception? cause) =>
        new($"{path} is damaged: {how.ReplaceLineEndings(" ").TrimEnd('.')}", HowToStartOver(path), cause);

    internal static string HowToStartOver(string path) =>
        $"Move the folder {Path.GetDirectoryName(path)} away to let the node start over from its peers; if no "
        + "majority of the nodes is left, `recoverkv rescue` makes a new store of the best folder.";

    /// <summary>How to connect. SQLite then locks the file for as long as the process has it open, against other
    /// processes only: nobody else's lock can hold up a write. (On Windows there is no such mode.) Every connection of
    /// the process must be of this kind, and for reading and writing, as another would take the lock away.</summary>
    internal static string ConnectionString(
        string path, SqliteOpenMode mode = SqliteOpenMode.ReadWrite, bool pooling = true)
    {
        var builder = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = pooling,
            DefaultTimeout = (int)AkkaConfig.BusyTimeout.TotalSeconds,
        };
        if (!OperatingSystem.IsWindows()) builder.Vfs = "unix-excl";
        return builder.ConnectionString;
    }

    /// <summary>Connects for writing, so that SQLite can recover the write-ahead log of a node that was
    /// killed.</summary>
    private static T Read<T>(string path, Func<SqliteConnection, T> read)
    {
        try
        {
            using var connection = new SqliteConnection(ConnectionString(path, pooling: false));
            connection.Open();
            return read(connection);
        }
        catch (SqliteException e)
        {
            if (IsPassing(e)) throw new StorageUnavailableException($"{path} cannot be used: {InWords(e)}.", e);
            throw Damage(path, e)
                ?? new NodeFailedException($"{path} cannot be used: {e.OneLine()}", e);
        }
    }

    /// <summary>The first value that a statement gives.</summary>
    internal static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <summary>Runs statements that give nothing.</summary>
    internal static void Execute(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
