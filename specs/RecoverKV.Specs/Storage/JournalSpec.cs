using LinqToDB.Data;
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
        new ViewAccepted(View.None with { Epoch = new Epoch(3), History = [new(new Epoch(3), new Uid(1))] }, [], Uid.Zero),
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
    public async Task A_full_disk_fails_the_persist_and_keeps_what_was_there()
    {
        await JournalHarness.WriteAsync(_folder.Path, Facts);
        await using (var node = JournalHarness.Start(_folder.Path, pragmas: "PRAGMA max_page_count = 300;"))
        {
            var facts = Enumerable.Range(0, 20).Select(Fact (i) => JournalHarness.Entries(600 + i, 1, 100_000)).ToArray();
            await Assert.ThrowsAnyAsync<Exception>(
                () => Task.WhenAny(node.PersistAsync(facts), Fail(node.PersistFailure)).Unwrap());
        }

        await using var again = JournalHarness.Start(_folder.Path);
        Assert.Equal(
            Facts.Select(Generators.Show), (await again.Recovered).Take(Facts.Length).Select(Generators.Show));

        static async Task Fail(Task<Exception> failure) => throw await failure;
    }

    [Theory]
    [InlineData(Durability.Full, 2L)]
    [InlineData(Durability.Os, 1L)]
    public void Connections_sync_as_the_durability_asks(Durability durability, long synchronous)
    {
        using var folder = DataFolder.Open(_folder.Path, new NodeId("node1"));
        using var connection =
            new DataConnection(JournalFile.DataOptions(folder.Journal, durability));
        Assert.Equal(synchronous, connection.Execute<long>("PRAGMA synchronous"));
        Assert.Equal("wal", connection.Execute<string>("PRAGMA journal_mode"));
    }
}
