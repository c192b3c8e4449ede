using Akka.Persistence;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Specs.Storage;

/// <summary>R10: a journal forgets the facts that a checkpoint stands for, in small steps, and their space is used
/// again.</summary>
public sealed class ForgottenFactsSpec : IDisposable
{
    private const int Facts = 400;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static (string Id, string Path) Of(JournalHarness node) => (node.Folder.PersistenceId, node.Folder.Journal);

    private static JournalTable Open(string path) =>
        new(JournalFile.ConnectForWriting(path, Durability.Full, ""));

    private async Task<(string Id, string Path)> WrittenAsync()
    {
        await using var node = JournalHarness.Start(_folder.Path);
        for (var i = 0; i < Facts; i += 50)
            await node.PersistAsync(
                [.. Enumerable.Range(i, 50).Select(n => JournalHarness.Entries(n + 1, 1, valueLength: 10_000))]);
        return Of(node);
    }

    [Fact]
    public async Task Facts_go_the_oldest_first_in_steps_of_about_a_MiB_and_what_went_is_known()
    {
        var (id, path) = await WrittenAsync();
        using (var table = Open(path))
        {
            Assert.Equal((1L, 0L), table.Forgotten(id));
            table.MayForget(id, 301, 250);
            var steps = 0;
            while (table.Forget(id, 301))
            {
                steps++;
                var first = table.Read(id, 1, Facts).First().Number;
                Assert.InRange(first, 50 * steps, 301);
            }

            Assert.InRange(steps, 3, 6);
            Assert.Equal(
                Enumerable.Range(301, 100).Select(n => (long)n), table.Read(id, 1, Facts).Select(r => r.Number));
            Assert.Equal((long)Facts, table.Highest(id));
            Assert.Equal((301L, 250L), table.Forgotten(id));
            // It never goes back.
            table.MayForget(id, 200, 100);
            Assert.Equal((301L, 250L), table.Forgotten(id));
        }

        // The file is whole for the next start.
        JournalFile.Check(path, id);
    }

    [Fact]
    public async Task The_space_is_used_again_and_given_back_where_there_is_much_of_it()
    {
        var (id, path) = await WrittenAsync();
        using (var table = Open(path))
        {
            table.MayForget(id, Facts, 0);
            while (table.Forget(id, Facts)) { }
        }

        var before = new FileInfo(path).Length;
        using (var table = Open(path))
        {
            for (var i = 1; i <= 200; i++)
                table.Append(
                    [new Persistent(JournalHarness.Entries(Facts + i, 1, valueLength: 10_000),
                        Facts + i, id, "", false, null, "writer")]);
        }

        Assert.InRange(new FileInfo(path).Length, 1, before + before / 20);
        using var connection = new SqliteConnection(JournalFile.ConnectionString(path, pooling: false));
        connection.Open();
        Assert.Equal(2L, JournalFile.Scalar(connection, "PRAGMA auto_vacuum"));
    }

    [Fact]
    public async Task A_commit_waits_for_the_disk_as_before()
    {
        var (id, path) = await WrittenAsync();
        using var connection = JournalFile.ConnectForWriting(path, Durability.Full, "");
        using var table = new JournalTable(connection);
        var before = JournalFile.Scalar(connection, "PRAGMA synchronous");
        table.MayForget(id, 100, 0);
        while (table.Forget(id, 100)) { }
        Assert.Equal(2L, before);
        Assert.Equal(before, JournalFile.Scalar(connection, "PRAGMA synchronous"));
    }
}
