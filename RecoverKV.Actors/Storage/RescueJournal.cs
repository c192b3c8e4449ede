using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;

namespace RecoverKV.Actors.Storage;

/// <summary>A row of a journal that may be damaged.</summary>
/// <param name="Number">The number of its fact; 0 if none could be read, and it is the last row.</param>
/// <param name="Fact">The fact; null if it cannot be read.</param>
/// <param name="Trouble">Then why.</param>
internal readonly record struct RescueRow(long Number, Fact? Fact, string? Trouble);

/// <summary>R11: reads whatever can be read of a journal, in the order in which it was written, and without its index,
/// which may be damaged, too.</summary>
internal static class RescueJournal
{
    /// <summary>Whether an exception means that something in a file cannot be read. All else may pass, or is a mistake
    /// of this program.</summary>
    public static bool IsUnreadable(Exception exception) => JournalFile.IsOfTheDisk(exception)
        || exception is FormatException or InvalidCastException or SqliteException { SqliteErrorCode: NoSuchTable };

    private const int NoSuchTable = 1;

    /// <summary>The replica whose facts the first row has; null if there is none, or it cannot be read.</summary>
    public static string? ReplicaOf(SqliteConnection connection)
    {
        try
        {
            const string first = "SELECT persistence_id FROM journal ORDER BY ordering LIMIT 1";
            return JournalFile.Scalar(connection, first) as string;
        }
        catch (SqliteException e) when (IsUnreadable(e))
        {
            return null;
        }
    }

    /// <summary>All rows of a replica up to the first place where the file itself cannot be read.</summary>
    public static IEnumerable<RescueRow> Read(SqliteConnection connection, string persistenceId)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT sequence_number, manifest, message FROM journal NOT INDEXED
            WHERE persistence_id = $id AND deleted = 0 ORDER BY ordering
            """;
        command.Parameters.AddWithValue("$id", persistenceId);
        SqliteDataReader? reader = null;
        try
        {
            while (Next(command, ref reader) is { } row)
            {
                yield return row;
                if (row.Number == 0) yield break;
            }
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private static RescueRow? Next(SqliteCommand command, ref SqliteDataReader? reader)
    {
        long number = 0;
        try
        {
            reader ??= command.ExecuteReader();
            if (!reader.Read()) return null;
            number = reader.GetInt64(0);
            return new RescueRow(number, FactCodec.Decode(reader.GetString(1), reader.GetFieldValue<byte[]>(2)), null);
        }
        catch (Exception e) when (IsUnreadable(e) || e is InvalidOperationException)
        {
            // Of a row without its columns SQLite's provider says the last of them.
            return new RescueRow(number, null, e.OneLine());
        }
    }
}
