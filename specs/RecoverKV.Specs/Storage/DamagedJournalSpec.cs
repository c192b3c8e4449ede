using Microsoft.Data.Sqlite;
using RecoverKV.Actors;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Specs.Storage;

/// <summary>A damaged journal is refused: by the check at the start, by the replay, and by the reader for
/// peers.</summary>
public sealed class DamagedJournalSpec : IDisposable
{
    private const int Events = 60;
    private readonly TemporaryFolder _folder = new();

    private string Journal => _folder.File("journal.db");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public async Task A_truncated_file_is_refused_at_the_start(long length)
    {
        await WriteAsync();
        using (var file = File.OpenWrite(Journal)) file.SetLength(length);
        RefusedAtStart();
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(4096, 8)]
    [InlineData(8192, 4096)]
    public async Task Noise_in_the_structure_is_refused_at_the_start(long offset, int length)
    {
        await WriteAsync();
        Noise(offset, length);
        RefusedAtStart();
    }

    /// <summary>SQLite reads a file whose write version it does not know, and then fails each write.</summary>
    [Theory]
    [InlineData(18, 3)]
    [InlineData(18, 1)]
    [InlineData(19, 255)]
    [InlineData(16, 7)]
    public async Task Another_byte_in_the_header_is_refused_at_the_start(long offset, byte value)
    {
        await WriteAsync();
        using (var file = File.OpenWrite(Journal))
        {
            file.Position = offset;
            file.WriteByte(value);
        }

        RefusedAtStart();
    }

    [Fact]
    public async Task A_copy_that_a_tool_made_without_a_write_ahead_log_gets_one_again()
    {
        await WriteAsync();
        using (var connection = new SqliteConnection($"Data Source={Journal};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode = DELETE";
            Assert.Equal("delete", command.ExecuteScalar());
        }

        await using var node = JournalHarness.Start(_folder.Path);
        Assert.Equal(Events, (await node.Recovered).Count);
        await node.PersistAsync(JournalHarness.Entries(1000, 1));
        Assert.True(File.Exists(Journal + "-wal"));
    }

    [Theory]
    [InlineData("ALTER TABLE journal RENAME TO other")]
    [InlineData("ALTER TABLE journal RENAME COLUMN message TO other")]
    [InlineData("UPDATE journal SET deleted = 1 WHERE sequence_number = 7")]
    [InlineData("UPDATE journal SET manifest = NULL WHERE sequence_number = 7")]
    [InlineData("UPDATE journal SET manifest = 'other' WHERE sequence_number = 7")]
    [InlineData("UPDATE journal SET message = 'text' WHERE sequence_number = 7")]
    [InlineData("UPDATE journal SET sequence_number = 'text' WHERE sequence_number = 7")]
    public async Task Whatever_else_is_wrong_in_it_is_said_in_the_same_line(string sql)
    {
        await WriteAsync();
        Execute(sql, expectRows: false);
        Exception error;
        try
        {
            await using var node = JournalHarness.Start(_folder.Path);
            error = await Assert.ThrowsAnyAsync<Exception>(() => node.Recovered);
        }
        catch (NodeFailedException atStart)
        {
            error = atStart;
        }

        OneLine(JournalFile.NotReplayed(Journal, error), "damaged");
    }

    [Fact]
    public async Task A_missing_event_is_noticed_at_the_start()
    {
        await WriteAsync();
        Execute("DELETE FROM journal WHERE sequence_number = 7");
        Assert.Contains("1 events are missing", RefusedAtStart(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_with_other_bytes_is_noticed_by_replay_and_reader()
    {
        await WriteAsync();
        Execute("UPDATE journal SET message = CAST(substr(message, 1, 2000) || x'00' || substr(message, 2002) AS BLOB) "
            + "WHERE sequence_number = 7");

        await using var node = JournalHarness.Start(_folder.Path);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => node.Recovered);
        OneLine(JournalFile.Damage(Journal, error), "checksum");

        var reader = new JournalReader(node.Folder);
        Assert.Equal(6, (await reader.ReadAsync(1, 6)).Count);
        OneLine(await Assert.ThrowsAnyAsync<NodeFailedException>(() => reader.ReadAsync(1, Events)), "checksum");
    }

    /// <summary>Beyond the limit of the full check: wherever the noise falls, the check or the replay finds it, unless
    /// it hit bytes that mean nothing.</summary>
    [Fact]
    public async Task Noise_anywhere_in_a_large_journal_is_noticed_or_harmless()
    {
        await WriteAsync();
        var intact = File.ReadAllBytes(Journal);
        var random = new Random(1);
        var found = 0;
        for (var round = 0; round < 40; round++)
        {
            File.WriteAllBytes(Journal, intact);
            Noise(random.Next(100, intact.Length - 64), 64);
            try
            {
                JournalFile.Check(Journal, PersistenceId(), fullCheckLimit: 0);
                Assert.Equal(Expected(), ReadAll());
            }
            catch (NodeFailedException e)
            {
                OneLine(e, "damaged");
                found++;
            }
        }

        Assert.InRange(found, 30, 40);
    }

    private string PersistenceId()
    {
        var lines = File.ReadAllLines(_folder.File("identity"));
        return $"replica-node1-{lines[2].Split(' ')[1]}";
    }

    private Task WriteAsync() => JournalHarness.WriteAsync(
        _folder.Path, [.. Enumerable.Range(0, Events).Select(Fact (i) => JournalHarness.Entries(1 + 10 * i, 10, 400))]);

    private static IEnumerable<string> Expected() => Enumerable.Range(0, Events)
        .Select(i => Serialization.Generators.Show(JournalHarness.Entries(1 + 10 * i, 10, 400)));

    /// <summary>As the replay does: each event in order, from the index to the bytes.</summary>
    private List<string> ReadAll()
    {
        var facts = JournalReader.Read(Journal, PersistenceId(), 1, Events, CancellationToken.None);
        return [.. facts.Select(Serialization.Generators.Show)];
    }

    private void Noise(long offset, int length)
    {
        var noise = new byte[length];
        new Random(5).NextBytes(noise);
        using var file = File.OpenWrite(Journal);
        file.Position = offset;
        file.Write(noise);
    }

    private void Execute(string sql, bool expectRows = true)
    {
        using var connection = new SqliteConnection($"Data Source={Journal};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        var rows = command.ExecuteNonQuery();
        if (expectRows) Assert.Equal(1, rows);
    }

    private string RefusedAtStart()
    {
        var error = Assert.ThrowsAny<NodeFailedException>(() => DataFolder.Open(_folder.Path, new NodeId("node1")));
        OneLine(error, "damaged");
        return error.Message;
    }

    private void OneLine(NodeFailedException? error, string says)
    {
        Assert.NotNull(error);
        Assert.Contains($"{Journal} is damaged", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains($"Move the folder {_folder.Path} away", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
