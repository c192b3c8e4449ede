using System.Globalization;
using RecoverKV.Actors;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Specs.Storage;

public sealed class DataFolderSpec : IDisposable
{
    private static readonly NodeId Node = new("node1");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_made_once_and_then_found()
    {
        var path = _folder.File("a", "b");
        MemberId member;
        using (var made = DataFolder.Open(path, Node))
        {
            Assert.True(made.IsNew);
            Assert.Equal(Node, made.Member.Node);
            Assert.NotEqual(Guid.Empty, made.Member.Incarnation);
            Assert.Equal($"replica-node1-{made.Member.Incarnation}", made.PersistenceId);
            member = made.Member;
        }

        using var found = DataFolder.Open(path, Node);
        Assert.False(found.IsNew);
        Assert.Equal(member, found.Member);
    }

    [Fact]
    public void A_limit_of_healing_lasts_until_it_is_lifted()
    {
        NodeId[][] limits = [[], [new("n2")], [new("n2"), new("n3")]];
        foreach (var limit in limits)
        {
            using (var folder = DataFolder.Open(_folder.Path, Node)) folder.HealFrom = limit;
            using var found = DataFolder.Open(_folder.Path, Node);
            Assert.Equal(limit, found.HealFrom);
            found.HealFrom = null;
            Assert.Null(found.HealFrom);
        }
    }

    [Fact]
    public void A_folder_in_use_is_refused_with_the_pid_of_its_user()
    {
        using var user = DataFolder.Open(_folder.Path, Node);
        Refused(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "in use by pid");
        Refused("in use"); // the refused ones have not taken it away
    }

    [Fact]
    public void A_folder_of_another_node_is_refused()
    {
        Make();
        var error = Assert.ThrowsAny<NodeFailedException>(() => DataFolder.Open(_folder.Path, new NodeId("node2")));
        Assert.Contains("of the node node1, not of node2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_without_its_identity_is_refused()
    {
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(1, 1));
        File.Delete(_folder.File("identity"));
        Refused("identity is missing", "Move the folder");
        Assert.True(File.Exists(_folder.File("journal.db")));
    }

    [Fact]
    public void A_write_ahead_log_without_its_journal_is_refused()
    {
        File.WriteAllText(_folder.File("journal.db-wal"), "x");
        Refused("identity is missing");
    }

    [Fact]
    public void An_identity_without_its_journal_is_refused()
    {
        Make();
        File.Delete(_folder.File("journal.db"));
        Refused("journal.db is missing", "Move the folder");
    }

    [Theory]
    [InlineData("")]
    [InlineData("recoverkv-data 1\nnode node1\nincarnation 12\n")]
    [InlineData("recoverkv-data 1\nnode node1\n")]
    [InlineData("recoverkv-data 2\nnode node1\nincarnation 0f8fad5b-d9cb-469f-a165-70867728950e\n")]
    public void A_damaged_identity_is_refused(string text)
    {
        Make();
        File.WriteAllText(_folder.File("identity"), text);
        Refused("identity is damaged or of another version", "Move the folder");
    }

    [Fact]
    public async Task A_journal_of_another_replica_is_refused()
    {
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(1, 1));
        using var other = new TemporaryFolder();
        using (DataFolder.Open(other.Path, Node)) { }
        File.Copy(other.File("identity"), _folder.File("identity"), overwrite: true);
        Refused("of another replica", "Move the folder");
    }

    [Fact]
    public void What_was_going_aside_when_the_process_ended_goes_there_as_a_whole()
    {
        Make();
        File.WriteAllText(_folder.File("aside"), "damaged-then");
        File.Move(_folder.File("identity"), _folder.File("retiring"));
        using (var folder = DataFolder.Open(_folder.Path, Node))
            Assert.True(folder is { IsNew: true, IsSuccessor: true });
        foreach (var file in new[] { "identity", "journal.db", "journal.count" })
            Assert.True(File.Exists(Path.Combine(_folder.Path, "damaged-then", file)), file);
        Assert.False(File.Exists(_folder.File("aside")));
        // One that had not begun is none.
        File.WriteAllText(_folder.File("aside"), "damaged-never");
        using (var folder = DataFolder.Open(_folder.Path, Node)) Assert.False(folder.IsNew);
        Assert.False(Directory.Exists(_folder.File("damaged-never")) || File.Exists(_folder.File("aside")));
    }

    [Fact]
    public void A_path_that_is_a_file_is_refused()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Contains(
            "is a file",
            Assert.ThrowsAny<NodeFailedException>(() => DataFolder.Open(_folder.File("file"), Node)).Message,
            StringComparison.Ordinal);
        var below = Assert.ThrowsAny<NodeFailedException>(() => DataFolder.Open(_folder.File("file", "below"), Node));
        Assert.Contains("cannot be used", below.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', below.Message);
    }

    [Fact]
    public void A_crash_while_the_folder_was_made_is_made_good()
    {
        // Before the journal had its name:
        File.WriteAllText(_folder.File("journal.db.new"), "half of it");
        File.WriteAllText(_folder.File("journal.db.new-journal"), "half of it");
        var first = Make();

        // Before the identity had its name:
        File.Move(_folder.File("identity"), _folder.File("identity.new"));
        var second = Make();
        Assert.NotEqual(first, second);

        Assert.Equal(second, Make());
    }

    [Fact]
    public async Task A_retired_folder_starts_over_under_a_new_incarnation()
    {
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(1, 1));
        var old = File.ReadAllText(_folder.File("identity"));
        MemberId before, after;
        using (var folder = DataFolder.Open(_folder.Path, Node))
        {
            before = folder.Member;
            folder.Retire();
            after = folder.Member;
            Assert.True(folder.IsNew);
            folder.Retire();
            Assert.NotEqual(after, folder.Member);
            after = folder.Member;
        }

        Assert.NotEqual(before, after);
        Assert.Equal(after, Make());
        Assert.Equal(old, File.ReadAllText(_folder.File("retired-1", "identity")));
        Assert.False(JournalFile.IsEmpty(_folder.File("retired-1", "journal.db")));
        Assert.True(File.Exists(_folder.File("retired-1", "journal.count")));
        Assert.True(File.Exists(_folder.File("retired-2", "identity")));
        await using var node = JournalHarness.Start(_folder.Path);
        Assert.Empty(await node.Recovered);
    }

    [Fact]
    public void Of_what_was_retired_only_the_newest_few_are_kept_and_the_replica_knows_that_it_succeeds_another()
    {
        using var folder = DataFolder.Open(_folder.Path, Node);
        Assert.False(folder.IsSuccessor);
        for (var i = 1; i <= 12; i++)
        {
            File.WriteAllText(_folder.File("journal.count"), "");
            folder.Retire();
            Assert.True(folder.IsSuccessor);
        }

        Assert.Equal(
            ["retired-10", "retired-11", "retired-12"],
            Directory.GetDirectories(_folder.Path, "retired-*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_crash_during_retirement_is_made_good(int stepsDone)
    {
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(1, 1));
        var old = Make();
        File.Move(_folder.File("identity"), _folder.File("retiring"));
        Directory.CreateDirectory(_folder.File("retired-1"));
        if (stepsDone >= 1) File.Move(_folder.File("journal.db"), _folder.File("retired-1", "journal.db"));
        if (stepsDone >= 2) File.Move(_folder.File("retiring"), _folder.File("retired-1", "identity"));

        Assert.NotEqual(old, Make());

        Assert.True(File.Exists(_folder.File("retired-1", "identity")));
        Assert.False(JournalFile.IsEmpty(_folder.File("retired-1", "journal.db")));
        Assert.False(File.Exists(_folder.File("retiring")));
        Assert.True(JournalFile.IsEmpty(_folder.File("journal.db")));
    }

    private MemberId Make()
    {
        using var folder = DataFolder.Open(_folder.Path, Node);
        return folder.Member;
    }

    private void Refused(params string[] because)
    {
        var error = Assert.ThrowsAny<NodeFailedException>(() => DataFolder.Open(_folder.Path, Node));
        Assert.All(because, b => Assert.Contains(b, error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', error.Message);
    }
}
