using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R6: reads facts of a running replica's journal, for peers. Reads a snapshot on a connection of its own and so never
/// holds up the writer. Thread-safe.
/// </summary>
public sealed class JournalReader
{
    private readonly string _journal;
    private readonly string _persistenceId;

    /// <summary>Reads the journal of this folder.</summary>
    public JournalReader(DataFolder folder)
    {
        _journal = folder.Journal;
        _persistenceId = folder.PersistenceId;
    }

    /// <summary>The facts with numbers from <paramref name="first"/> to <paramref name="last"/> that are durable, in
    /// order; all of them must fit the memory.</summary>
    /// <exception cref="NodeFailedException">The journal is damaged.</exception>
    public Task<IReadOnlyList<Fact>> ReadAsync(long first, long last, CancellationToken cancellationToken = default) =>
        // SQLite's calls block: not on the caller's thread.
        Task.Run<IReadOnlyList<Fact>>(() => Read(_journal, _persistenceId, first, last, cancellationToken), cancellationToken);

    internal static List<Fact> Read(
        string journal, string persistenceId, long first, long last, CancellationToken cancellationToken)
    {
        try
        {
            using var connection = new SqliteConnection(JournalFile.ReadOnlyConnectionString(journal));
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = """
                SELECT manifest, message FROM journal
                WHERE persistence_id = $id AND sequence_number BETWEEN $first AND $last AND deleted = 0
                ORDER BY sequence_number
                """;
            command.Parameters.AddWithValue("$id", persistenceId);
            command.Parameters.AddWithValue("$first", first);
            command.Parameters.AddWithValue("$last", last);
            using var reader = command.ExecuteReader();
            var facts = new List<Fact>();
            while (reader.Read())
            {
                cancellationToken.ThrowIfCancellationRequested();
                facts.Add(FactCodec.Decode(reader.GetString(0), reader.GetFieldValue<byte[]>(1)));
            }

            return facts;
        }
        catch (Exception e) when (JournalFile.Damage(journal, e) is { } damage)
        {
            throw damage;
        }
    }
}
