using Akka.Persistence;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;

namespace RecoverKV.Actors.Storage;

/// <summary>The table of journal events, with the columns of Akka.Persistence.Sql, over a connection that it owns. Not
/// thread-safe.</summary>
internal sealed class JournalTable : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly WriteAheadLog? _log;
    private readonly JournalCount? _count;
    private readonly SqliteCommand _insert;
    private readonly SqliteParameter _persistenceId, _number, _created, _message, _manifest, _writer;

    /// <summary>One event.</summary>
    /// <param name="Number">Its sequence number: the number of the fact.</param>
    /// <param name="Fact">What it says.</param>
    /// <param name="Writer">The run of the replica that wrote it.</param>
    public readonly record struct Row(long Number, Fact Fact, string Writer);

    /// <summary>Takes an open connection; for writing also what moves its log beside its commits, and what counts them.
    /// </summary>
    public JournalTable(SqliteConnection connection, WriteAheadLog? log = null, JournalCount? count = null)
    {
        (_connection, _log, _count) = (connection, log, count);
        _insert = connection.CreateCommand();
        _insert.CommandText = """
            INSERT INTO journal
              (deleted, persistence_id, sequence_number, created, tags, message, identifier, manifest, writer_uuid)
            VALUES (0, $id, $number, $created, '', $message, $identifier, $manifest, $writer)
            """;
        _persistenceId = _insert.Parameters.Add("$id", SqliteType.Text);
        _number = _insert.Parameters.Add("$number", SqliteType.Integer);
        _created = _insert.Parameters.Add("$created", SqliteType.Integer);
        _message = _insert.Parameters.Add("$message", SqliteType.Blob);
        _insert.Parameters.Add("$identifier", SqliteType.Integer).Value = FactSerializer.Id;
        _manifest = _insert.Parameters.Add("$manifest", SqliteType.Text);
        _writer = _insert.Parameters.Add("$writer", SqliteType.Text);
    }

    /// <summary>Appends events whose payloads are facts; ends when all of them are as durable as the connection's
    /// settings say, or none.</summary>
    public void Append(IReadOnlyCollection<IPersistentRepresentation> events)
    {
        // A statement on its own is a transaction.
        long bytes = 0;
        using var transaction = events.Count > 1 ? _connection.BeginTransaction() : null;
        _insert.Transaction = transaction;
        foreach (var appended in events)
        {
            var fact = (Fact)appended.Payload;
            _persistenceId.Value = appended.PersistenceId;
            _number.Value = appended.SequenceNr;
            _created.Value = DateTime.UtcNow.Ticks;
            var message = FactCodec.Encode(fact);
            bytes += message.Length;
            _message.Value = message;
            _manifest.Value = FactCodec.Manifest(fact);
            _writer.Value = appended.WriterGuid;
            _insert.ExecuteNonQuery();
        }

        transaction?.Commit();
        if (events.LastOrDefault() is { } last) _count?.Write(last.PersistenceId, last.SequenceNr);
        _log?.Logged(bytes);
    }

    /// <summary>Moves the write-ahead log into the file if it is time; seldom waits for the disk.</summary>
    public void MoveLog() => _log?.Run();

    /// <summary>The number of the last event; 0 if there is none.</summary>
    public long Highest(string persistenceId)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT COALESCE(MAX(sequence_number), 0) FROM journal WHERE persistence_id = $id";
        command.Parameters.AddWithValue("$id", persistenceId);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>The events with numbers from <paramref name="first"/> to <paramref name="last"/>, in order.</summary>
    /// <exception cref="FormatException">An event is damaged.</exception>
    public IEnumerable<Row> Read(string persistenceId, long first, long last)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = """
            SELECT sequence_number, manifest, message, writer_uuid FROM journal
            WHERE persistence_id = $id AND sequence_number BETWEEN $first AND $last AND deleted = 0
            ORDER BY sequence_number
            """;
        command.Parameters.AddWithValue("$id", persistenceId);
        command.Parameters.AddWithValue("$first", first);
        command.Parameters.AddWithValue("$last", last);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var fact = FactCodec.Decode(reader.GetString(1), reader.GetFieldValue<byte[]>(2));
            yield return new Row(reader.GetInt64(0), fact, reader.GetString(3));
        }
    }

    /// <summary>R10: what the journal has forgotten, or is about to: facts below a number. A start needs a checkpoint
    /// that has all entries up to a uid, and needs no fact below that number; (1, 0) if nothing was
    /// forgotten.</summary>
    public (long Before, long To) Forgotten(string persistenceId)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'forgotten'";
        if (command.ExecuteScalar() is 0L) return (1, 0);
        command.CommandText = "SELECT before, uid FROM forgotten WHERE persistence_id = $id";
        command.Parameters.AddWithValue("$id", persistenceId);
        using var reader = command.ExecuteReader();
        return reader.Read() ? (reader.GetInt64(0), reader.GetInt64(1)) : (1, 0);
    }

    /// <summary>R10: facts below a number are of no use any more, as a checkpoint is on the disk that has all entries
    /// up to a uid. They go by <see cref="Forget"/>.</summary>
    public void MayForget(string persistenceId, long before, long to)
    {
        if (Forgotten(persistenceId) is var known && known.Before >= before && known.To >= to) return;
        using var transaction = _connection.BeginTransaction();
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            CREATE TABLE IF NOT EXISTS forgotten (persistence_id TEXT PRIMARY KEY NOT NULL, before INTEGER NOT NULL, uid INTEGER NOT NULL);
            INSERT INTO forgotten VALUES ($id, $before, $to) ON CONFLICT (persistence_id)
              DO UPDATE SET before = MAX(before, excluded.before), uid = MAX(uid, excluded.uid)
            """;
        command.Parameters.AddWithValue("$id", persistenceId);
        command.Parameters.AddWithValue("$before", before);
        command.Parameters.AddWithValue("$to", to);
        command.ExecuteNonQuery();
        transaction.Commit();
    }

    /// <summary>R10: removes some of the facts below a number, the oldest first, about a MiB of them; whether there are
    /// more. Their space is used again, and where there is much of it given back. A power loss may bring them back; it
    /// is not waited for.</summary>
    public bool Forget(string persistenceId, long before)
    {
        var last = LastOfSome(persistenceId, before);
        if (last == 0) return false;
        var synchronous = JournalFile.Scalar(_connection, "PRAGMA synchronous");
        JournalFile.Execute(_connection, "PRAGMA synchronous = NORMAL");
        try
        {
            using var command = _connection.CreateCommand();
            command.CommandText = "DELETE FROM journal WHERE persistence_id = $id AND sequence_number <= $last";
            command.Parameters.AddWithValue("$id", persistenceId);
            command.Parameters.AddWithValue("$last", last);
            command.ExecuteNonQuery();
            if (JournalFile.Scalar(_connection, "PRAGMA freelist_count") is long free
                && JournalFile.Scalar(_connection, "PRAGMA page_count") is long all
                && free > Math.Max(SparePages, all / 2))
            {
                JournalFile.Execute(_connection, $"PRAGMA incremental_vacuum({GivenBack})");
                _log?.Logged(GivenBack * 4096);
            }
        }
        finally
        {
            JournalFile.Execute(_connection, $"PRAGMA synchronous = {synchronous}");
        }

        _log?.Logged(ForgottenBytes / 16);
        return true;
    }

    private const int ForgottenBytes = 1024 * 1024;
    private const int MostForgotten = 512;

    // Pages in a step; each is read from the end of the file, and written elsewhere.
    private const int GivenBack = 64;

    // 64 MiB: as much will be written again soon.
    private const long SparePages = 16 * 1024;

    private long LastOfSome(string persistenceId, long before)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = """
            SELECT sequence_number, LENGTH(message) FROM journal
            WHERE persistence_id = $id AND sequence_number < $before ORDER BY sequence_number LIMIT $most
            """;
        command.Parameters.AddWithValue("$id", persistenceId);
        command.Parameters.AddWithValue("$before", before);
        command.Parameters.AddWithValue("$most", MostForgotten);
        using var reader = command.ExecuteReader();
        var (last, bytes) = (0L, 0L);
        while (bytes < ForgottenBytes && reader.Read())
            (last, bytes) = (reader.GetInt64(0), bytes + reader.GetInt64(1));
        return last;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        _count?.Dispose();
        _insert.Dispose();
        _connection.Dispose();
    }
}
