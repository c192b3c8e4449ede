using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using RecoverKV.Specs.Serialization;

namespace RecoverKV.Specs.Storage;

/// <summary>
/// Journals that earlier versions wrote must keep loading. journal-v1.db is committed and never changes; a new format
/// gets a file of its own beside it. To make one: run this spec with RECOVERKV_JOURNAL_OUT=PATH in the environment.
/// </summary>
public sealed class OldJournalSpec : IDisposable
{
    private const string Identity = "recoverkv-data 1\nnode node1\nincarnation 0f8fad5b-d9cb-469f-a165-70867728950e\n";
    private static readonly MemberId Self = new(new NodeId("node1"), new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"));
    private static readonly MemberId Other = new(new NodeId("node2"), new Guid("7c9e6679-7425-40de-944b-e07fc1f90ae7"));

    private static readonly Fact[] Facts =
    [
        new Promised(new Epoch(1), new NodeId("node1")),
        new ViewAccepted(
            new View
            {
                Epoch = new Epoch(1),
                Sequencer = new NodeId("node1"),
                Members = [Self, Other],
                InSync = [Self.Node, Other.Node],
                FirstUid = new Uid(1),
                History = [new Tenure(new Epoch(1), new Uid(1))],
            }, [], Uid.Zero),
        new EntriesAppended(
            new Batch(new Epoch(1), new Uid(1),
            [
                WriteRequestCodec.Create(0, 0x1234_5678_9abc_def0, 0, []),
                WriteRequestCodec.Create(1, 1, 0, [new(OperationKind.Put, "a, (key)", "välue"u8.ToArray())]),
                WriteRequestCodec.Create(1, 2, 1,
                [
                    new(OperationKind.Put, "b", ReadOnlyMemory<byte>.Empty, ExpectedUid: 0),
                    new(OperationKind.Delete, "a, (key)", default, ExpectedUid: 2),
                    new(OperationKind.Check, "c", default, ExpectedUid: 0),
                ]),
            ]), Uid.Zero),
        new Promised(new Epoch(5), NodeId.None),
        new OrphansDropped([new UidRange(new Uid(3), new Uid(3))]),
        new ViewAccepted(
            new View
            {
                Epoch = new Epoch(5),
                Sequencer = new NodeId("node2"),
                Members = [Self, Other],
                InSync = [Other.Node],
                FirstUid = new Uid(3),
                History = [new Tenure(new Epoch(1), new Uid(1)), new Tenure(new Epoch(5), new Uid(3))],
            }, [new UidRange(new Uid(4), new Uid(5)), new UidRange(new Uid(9), new Uid(9))], new Uid(2)),
        new EntriesAppended(
            new Batch(
                new Epoch(5), new Uid(3),
                [WriteRequestCodec.Create(1, 2, 1, [new(OperationKind.Delete, "b", default)])]),
            new Uid(2)),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_journal_of_version_1_loads_and_goes_on()
    {
        File.Copy(Committed, _folder.File("journal.db"));
        File.WriteAllText(_folder.File("identity"), Identity);
        await using (var node = JournalHarness.Start(_folder.Path))
        {
            Assert.Equal(Facts.Select(Generators.Show), (await node.Recovered).Select(Generators.Show));
            await node.PersistAsync(new Promised(new Epoch(6), NodeId.None));
        }

        await using var again = JournalHarness.Start(_folder.Path);
        Assert.Equal(new Promised(new Epoch(6), NodeId.None), (await again.Recovered)[Facts.Length]);
    }

    /// <summary>As long as version 1 is the present one.</summary>
    [Fact]
    public async Task This_version_writes_the_same_events()
    {
        JournalFile.Create(_folder.File("journal.db"));
        File.WriteAllText(_folder.File("identity"), Identity);
        foreach (var fact in Facts) await JournalHarness.WriteAsync(_folder.Path, fact);

        if (Environment.GetEnvironmentVariable("RECOVERKV_JOURNAL_OUT") is { Length: > 0 } output)
            File.Copy(_folder.File("journal.db"), output, overwrite: true);
        File.Copy(Committed, _folder.File("committed.db"));
        Assert.Equal(Rows(_folder.File("committed.db")), Rows(_folder.File("journal.db")));
    }

    private static string Committed => Path.Combine(Repository.Root, "specs/RecoverKV.Specs/Storage/journal-v1.db");

    private static List<string> Rows(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT persistence_id, sequence_number, identifier, manifest, hex(message) "
            + "FROM journal ORDER BY sequence_number";
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i))));
        return rows;
    }
}
