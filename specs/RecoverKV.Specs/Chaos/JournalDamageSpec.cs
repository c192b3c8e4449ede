using Microsoft.Data.Sqlite;
using RecoverKV.Chaos.Cluster;

namespace RecoverKV.Specs.Chaos;

/// <summary>The damage that chaos does to journals is the damage that it says.</summary>
public sealed class JournalDamageSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Journal => Path.Combine(_folder.Path, "journal.db");

    /// <summary>As a killed process leaves them: the log is not yet moved into the file.</summary>
    private void Write(int commits)
    {
        var source = Path.Combine(_folder.Path, "source.db");
        using (var connection = new SqliteConnection($"Data Source={source};Pooling=False"))
        {
            connection.Open();
            Run(connection, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n INTEGER)");
            for (var i = 1; i <= commits; i++) Run(connection, $"INSERT INTO t VALUES ({i})");
            File.Copy(source, Journal);
            File.Copy(source + "-wal", Journal + "-wal");
        }
    }

    private static object? Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private long Rows()
    {
        using var connection = new SqliteConnection($"Data Source={Journal};Pooling=False");
        connection.Open();
        Assert.Equal("ok", Run(connection, "PRAGMA quick_check"));
        return (long)Run(connection, "SELECT COUNT(*) FROM t")!;
    }

    [Fact]
    public void A_truncated_journal_lacks_just_so_many_commits()
    {
        Write(commits: 20);
        var lost = JournalDamage.TruncateTail(_folder.Path, new Random(1));
        Assert.InRange(lost, 1, 5);
        Assert.Equal(20 - lost, Rows());
    }

    [Fact]
    public void A_journal_with_too_few_commits_is_left_alone()
    {
        Write(commits: 0);
        Assert.Equal(0, JournalDamage.TruncateTail(_folder.Path, new Random(1)));
        Assert.Equal(0, Rows());
    }

    [Fact]
    public void Noise_changes_one_of_the_files()
    {
        Write(commits: 20);
        var before = new[] { Journal, Journal + "-wal" }.Select(File.ReadAllBytes).ToList();
        JournalDamage.Noise(_folder.Path, new Random(1));
        var after = new[] { Journal, Journal + "-wal" }.Select(File.ReadAllBytes).ToList();
        Assert.Equal(before.Select(b => b.Length), after.Select(a => a.Length));
        Assert.Single(before.Zip(after, (b, a) => (b, a)), pair => !pair.b.AsSpan().SequenceEqual(pair.a));
    }
}
