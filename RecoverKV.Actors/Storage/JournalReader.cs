using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;

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
        Task.Run<IReadOnlyList<Fact>>(
            () => Read(_journal, _persistenceId, first, last, cancellationToken), cancellationToken);

    internal static List<Fact> Read(
        string journal, string persistenceId, long first, long last, CancellationToken cancellationToken)
    {
        try
        {
            using var connection = new SqliteConnection(JournalFile.ConnectionString(journal));
            connection.Open();
            using var table = new JournalTable(connection);
            var facts = new List<Fact>();
            foreach (var row in table.Read(persistenceId, first, last))
            {
                cancellationToken.ThrowIfCancellationRequested();
                facts.Add(row.Fact);
            }

            return facts;
        }
        catch (Exception e) when (JournalFile.Damage(journal, e) is { } damage)
        {
            throw damage;
        }
    }
}
