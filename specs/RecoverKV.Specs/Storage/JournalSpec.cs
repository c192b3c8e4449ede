using Akka.Persistence.Sql.Journal;
using LinqToDB.Data;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;
using RecoverKV.Specs.Serialization;

namespace RecoverKV.Specs.Storage;

public sealed class JournalSpec : IDisposable
{
    private static readonly Fact[] Facts =
    [
        new Promised(new Epoch(3), new NodeId("node1")),
        new ViewAccepted(
            View.None with { Epoch = new Epoch(3), History = [new(new Epoch(3), new Uid(1))] }, [], Uid.Zero),
        JournalHarness.Entries(1, 1),
        JournalHarness.Entries(2, 500),
        new OrphansDropped([new(new Uid(400), new Uid(501))]),
        JournalHarness.Entries(502, 3, valueLength: 300_000),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Durability.Full)]
    [InlineData(Durability.Os)]
    public async Task What_was_persisted_is_replayed_in_order(Durability durability)
    {
        for (var round = 1; round <= 3; round++)
        {
            await using var node = JournalHarness.Start(_folder.Path, durability);
            Assert.Equal(
                Enumerable.Repeat(Facts.Select(Generators.Show), round - 1).SelectMany(f => f),
                (await node.Recovered).Select(Generators.Show));
            await node.PersistAsync(Facts);
        }
    }

    [Fact]
    public async Task The_plugin_of_Akka_reads_what_the_journal_wrote_and_the_other_way_round()
    {
        Type?[] plugins = [null, typeof(SqlWriteJournal), null];
        for (var round = 0; round < plugins.Length; round++)
        {
            await using var node = JournalHarness.Start(_folder.Path, plugin: plugins[round]);
            Assert.Equal(
                Enumerable.Repeat(Facts.Select(Generators.Show), round).SelectMany(f => f),
                (await node.Recovered).Select(Generators.Show));
            await node.PersistAsync(Facts);
        }
    }

    [Fact]
    public async Task The_write_ahead_log_begins_anew_while_writes_go_on()
    {
        await using var node = JournalHarness.Start(_folder.Path);
        // Two and a half times as much as the log may ever have.
        const int Facts = (int)(5 * WriteAheadLog.Most / 2 / 1_000_000);
        var before = Task.CompletedTask;
        for (var i = 0; i < Facts; i += 4)
        {
            var facts = Enumerable.Range(i, 4).Select(n => JournalHarness.Entries(1 + 2 * n, 2, valueLength: 500_000));
            var written = node.PersistAsync([.. facts]);
            // There is always something to write.
            await before;
            before = written;
        }

        await before;

        Assert.InRange(
            new FileInfo(node.Folder.Journal + "-wal").Length, 1, WriteAheadLog.Most + WriteAheadLog.Interval);
    }

    [Fact]
    public async Task What_the_journal_does_not_do_itself_the_plugin_does()
    {
        await using (var node = JournalHarness.Start(_folder.Path))
        {
            await node.PersistAsync(Facts);
            await node.DeleteAsync(2);
            await node.DeleteAsync(3);
            await node.PersistAsync(Facts[0]);
        }

        await using var again = JournalHarness.Start(_folder.Path);
        Assert.Equal(
            Facts[3..].Append(Facts[0]).Select(Generators.Show), (await again.Recovered).Select(Generators.Show));
    }

    [Fact]
    public async Task A_journal_that_two_replicas_wrote_at_once_is_refused()
    {
        for (var run = 0; run < 2; run++) await JournalHarness.WriteAsync(_folder.Path, Facts);
        using (var connection = new SqliteConnection($"Data Source={_folder.File("journal.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText =
                "UPDATE journal SET writer_uuid = (SELECT writer_uuid FROM journal WHERE sequence_number = 1) "
                + "WHERE sequence_number = 9";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        await using var node = JournalHarness.Start(_folder.Path);
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => node.Recovered);
        Assert.Contains("event 9 is of an earlier run", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(JournalFile.Damage(_folder.File("journal.db"), failure));
    }

    [Fact]
    public async Task Facts_are_read_by_number_while_others_are_written()
    {
        await using var node = JournalHarness.Start(_folder.Path);
        await node.PersistAsync(Facts);
        var reader = new JournalReader(node.Folder);
        var writing = node.PersistAsync([.. Enumerable.Range(1000, 500).Select(i => JournalHarness.Entries(i, 1))]);

        for (var first = 1; first <= Facts.Length; first++)
        {
            for (var last = first; last <= Facts.Length; last++)
            {
                var read = await reader.ReadAsync(first, last);
                Assert.Equal(Facts[(first - 1)..last].Select(Generators.Show), read.Select(Generators.Show));
            }
        }

        await writing;
        Assert.Equal(500, (await reader.ReadAsync(Facts.Length + 1, 100_000)).Count);
    }

    [Fact]
    public async Task What_a_full_disk_does_not_take_waits_and_is_taken_when_there_is_room()
    {
        await JournalHarness.WriteAsync(_folder.Path, Facts);
        var facts = Enumerable.Range(0, 6).Select(Fact (i) => JournalHarness.Entries(600 + i, 1, 100_000)).ToArray();
        await using (var node = JournalHarness.Start(_folder.Path, pragmas: "PRAGMA max_page_count = 300;"))
        {
            // Something that takes space, and goes.
            using var other = new SqliteConnection($"Data Source={node.Folder.Journal};Pooling=False");
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "CREATE TABLE ballast AS SELECT zeroblob(100000) AS bytes";
            command.ExecuteNonQuery();

            var written = node.PersistAsync(facts);
            Assert.Equal("the disk is full", await node.NextTroubleAsync());
            Assert.False(written.IsCompleted);
            command.CommandText = "DROP TABLE ballast; DELETE FROM journal WHERE sequence_number = 6";
            command.ExecuteNonQuery();
            Assert.Null(await node.NextTroubleAsync());
            await written;
            Assert.Equal(
                facts.Select(Generators.Show),
                (await new JournalReader(node.Folder).ReadAsync(Facts.Length + 1, 100)).Select(Generators.Show));
        }
    }

    [Fact]
    public async Task A_lock_of_another_is_waited_for()
    {
        await using var node = JournalHarness.Start(_folder.Path);
        await node.PersistAsync(Facts);
        using var other = new SqliteConnection($"Data Source={node.Folder.Journal};Pooling=False");
        other.Open();
        Task written;
        using (other.BeginTransaction(deferred: false))
        {
            written = node.PersistAsync(Facts);
            Assert.Equal("another program has locked the journal", await node.NextTroubleAsync());
        }

        await written;
        Assert.Null(await node.NextTroubleAsync());
        Assert.Equal(Facts.Length, (await new JournalReader(node.Folder).ReadAsync(Facts.Length + 1, 100)).Count);
    }

    [Theory]
    [InlineData(Durability.Full, 2L)]
    [InlineData(Durability.Os, 1L)]
    public void Connections_sync_as_the_durability_asks(Durability durability, long synchronous)
    {
        using var folder = DataFolder.Open(_folder.Path, new NodeId("node1"));
        using var plugins = new DataConnection(JournalFile.DataOptions(folder.Journal, durability));
        Assert.Equal(
            (synchronous, "wal"),
            (plugins.Execute<long>("PRAGMA synchronous"), plugins.Execute<string>("PRAGMA journal_mode")));
        using var writes = JournalFile.ConnectForWriting(folder.Journal, durability, "");
        Assert.Equal<(object?, object?)>((synchronous, "wal"), (Pragma("synchronous"), Pragma("journal_mode")));

        object? Pragma(string name)
        {
            using var command = writes.CreateCommand();
            command.CommandText = $"PRAGMA {name}";
            return command.ExecuteScalar();
        }
    }
}
