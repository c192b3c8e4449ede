using System.Security.Cryptography;
using Akka.Persistence;
using Microsoft.Data.Sqlite;
using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Storage;

/// <summary>R11: a new store of the best folder that is left. Which one that is, what it lacks, and what is
/// refused.</summary>
public sealed class RescueSpec : IDisposable
{
    private static readonly Guid Store = Guid.Parse("00000000-0000-0000-0000-000000000007");
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _lines = [];

    private string Out => _folder.File("out");

    public void Dispose() => _folder.Dispose();

    private static View First => View1() with { Cluster = Store };

    // Led by n2 from a uid on, with the entries of view 1 before it.
    private static View Second(long first) => View(2, 2, 3, [2, 3], (1, 1), (2, first)) with { Cluster = Store };

    private static EntriesAppended Entries(long epoch, long first, long last, long committed = 0) =>
        new EntriesAppended(Batch(epoch, first, last), U(committed));

    private static ViewAccepted Accepted(View view, params UidRange[] dropped) => new ViewAccepted(view, dropped, U(0));

    /// <summary>The folder of a node with these facts in its journal and, if it is to have one, a checkpoint of the
    /// first of them.</summary>
    private string Folder(int node, Fact[] facts, int checkpointOf = 0)
    {
        var path = _folder.File($"n{node}");
        using var folder = DataFolder.Open(path, Node(node));
        // Views have members of known incarnations.
        var member = Member(node);
        File.WriteAllText(Path.Combine(path, "identity"), new Identity(member, Store).Text);
        var id = DataFolder.PersistenceIdOf(member);
        using (var table = new JournalTable(JournalFile.ConnectForWriting(folder.Journal, Durability.Full, "")))
            table.Append([.. facts.Select((fact, i) => new Persistent(fact, i + 1, id, "", false, null, "spec"))]);
        using (var count = new JournalCount(JournalCount.PathOf(folder.Journal))) count.Write(id, facts.Length);
        if (checkpointOf > 0) WriteCheckpoint(folder.Store, member, facts[..checkpointOf]);
        return path;
    }

    private static void WriteCheckpoint(string path, MemberId member, Fact[] facts)
    {
        var core = new ReplicaCore(new ProtocolOptions { Self = member, Nodes = [member.Node], Run = 1, Seed = 0 });
        foreach (var fact in facts) core.Replay(fact);
        var made = core.BeginCheckpoint()!;
        using var file = StoreFile.Open(path);
        file.Begin(all: true);
        while (made.State.Next(100, 10_000) is { } part) file.Write(part);
        file.Finish(new StoreHead(
            DataFolder.PersistenceIdOf(member), Store, made.State.Revision, made.State.KeyCount, made.State.Digest,
            made.State.SessionCount, made.State.SessionBytes, made.Base));
    }

    private Rescued Rescued(params string[] folders)
    {
        _lines.Clear();
        var before = folders.Select(Content).ToArray();
        try
        {
            return Rescue.Run(Out, folders, ["a", "b"], _lines.Add);
        }
        finally
        {
            // Whatever came of it.
            Assert.Equal(before, folders.Select(Content));
        }
    }

    private void Refused<T>(string says, params string[] folders) where T : Exception
    {
        var message = Assert.ThrowsAny<T>(() => Rescued(folders)).Message;
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.False(Directory.Exists(Out));
    }

    /// <summary>The names of all files, and what they have; nobody reads the lock of a node that runs.</summary>
    internal static string Content(string folder) => !Directory.Exists(folder) ? "" : string.Join('\n', Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(f => Path.GetFileName(f) == "lock" ? f : $"{f} {Hash(f)}"));

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));

    /// <summary>Both folders have the state after the requests up to this uid, and nothing else is there.</summary>
    private void Has(long last)
    {
        var expected = new KeyValueState();
        for (var uid = 1; uid <= last; uid++) expected.Apply(U(uid), R(uid));
        Assert.Equal(["a", "b"], Directory.EnumerateFileSystemEntries(Out).Select(Path.GetFileName).Order());
        foreach (var node in new[] { "a", "b" })
        {
            using var folder = DataFolder.Open(Path.Combine(Out, node), new NodeId(node));
            Assert.NotEqual(Store, folder.Cluster);
            var state = new KeyValueState();
            var head = StoreReader.Load(folder.Store, state)!;
            Assert.Equal((expected.Digest, expected.Applied), (state.Digest, state.Applied));
            Assert.Equal(4 * 1024 * 1024, head.Base.View.FrameSize);
        }
    }

    private void Says(string line) => Assert.Contains(_lines, l => l.Contains(line, StringComparison.Ordinal));

    private void NeverSays(string line) =>
        Assert.DoesNotContain(_lines, l => l.Contains(line, StringComparison.Ordinal));

    private static string JournalOf(string folder) => Path.Combine(folder, JournalFile.Name);

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection(JournalFile.ConnectionString(path, pooling: false));
        connection.Open();
        JournalFile.Execute(connection, sql);
    }

    private static void Noise(string path, long offset, int length)
    {
        var noise = new byte[length];
        new Random(5).NextBytes(noise);
        using var file = File.OpenWrite(path);
        file.Position = offset;
        file.Write(noise);
    }

    [Fact]
    public void Of_whole_folders_nothing_is_missing_and_what_was_not_known_to_be_committed_is_kept()
    {
        Fact[] facts = [Accepted(First), Entries(1, 1, 20), Entries(1, 21, 40, 20)];
        string[] all = [.. new[] { 1, 2, 3 }.Select(n => Folder(n, facts, checkpointOf: n - 1))];
        Assert.Equal(all[0], Rescued(all).From);
        Says($"{all[1]}: n2, store {Store:D}, in-sync in view 1, epoch 1 promised, ");
        Says("committed 20, uids up to 40, 39 keys");
        Says("nothing is missing that was acknowledged");
        Assert.Equal(5, _lines.Count);
        Has(40);
    }

    [Fact]
    public void One_whole_folder_has_all_that_was_acknowledged_in_its_view_and_tells_nothing_of_later_ones()
    {
        Rescued(Folder(3, [Accepted(First), Entries(1, 1, 20, 10)]));
        Says("nothing is known to be missing");
        Says("whether there was a later view than 1, with writes that are missing here");
        Says("whole folders of 1 more of n1, n2 would tell");
        Has(20);
    }

    [Fact]
    public void The_one_with_most_is_the_best_and_what_others_know_to_be_committed_is_named_where_it_lacks_it()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)]);
        var two = Folder(2, [Accepted(First), Entries(1, 1, 30, 10)]);
        // Its entries have a gap.
        var three = Folder(3, [Accepted(First), Entries(1, 1, 10, 10), Entries(1, 36, 40, 35)]);
        Assert.Equal(two, Rescued(one, two, three).From);
        Says($"{three} knows that uids up to 35 were committed; ");
        Says("the best folder has them up to 30: 5 writes are missing");
        Says($"{three} had uids up to 40, and those behind 35 cannot be used");
        NeverSays("nothing is");
        Has(30);
    }

    [Fact]
    public void By_the_newest_view_an_older_folder_counts_with_what_is_part_of_its_log()
    {
        // n1's entries 25..40 are of view 1, which ended before; n3 knows that, and has less.
        var one = Folder(1, [Accepted(First), Entries(1, 1, 40, 10)]);
        var three = Folder(3, [Accepted(First), Entries(1, 1, 10, 10), Accepted(Second(25))]);
        Assert.Equal(one, Rescued(one, three).From);
        Says($"{one}: n1, store {Store:D}, in-sync in view 1, epoch 1 promised, committed 10, uids up to 24, 23 keys");
        Has(24);
    }

    [Fact]
    public void With_less_than_a_view_began_with_it_says_so_and_a_later_promise_may_be_one_of_a_view()
    {
        var three = Folder(
            3, [Accepted(First), Entries(1, 1, 10, 10), Accepted(Second(25)), new Promised(E(4), Node(2))]);
        Rescued(three);
        Says("view 2 began with uids up to 24, the best folder has them up to 10");
        Says($"{three} has promised epoch 4");
        Has(10);
    }

    [Theory]
    [InlineData("fact")]
    [InlineData("row")]
    [InlineData("file")]
    [InlineData("index")]
    [InlineData("contradiction")]
    public void Of_a_damaged_journal_the_facts_before_the_damage_count(string what)
    {
        var facts = Enumerable.Range(0, 40).Select(i => Entries(1, 1 + (10 * i), 10 + (10 * i), 10 * i));
        var one = Folder(1, [Accepted(First), .. facts]);
        var journal = Path.Combine(one, JournalFile.Name);
        if (what == "fact") Execute(journal, "UPDATE journal SET message = zeroblob(20) WHERE sequence_number = 12");
        else if (what == "row") Execute(journal, "DELETE FROM journal WHERE sequence_number = 12");
        else if (what == "contradiction")
            Execute(journal, """
                UPDATE journal SET message = (SELECT message FROM journal WHERE sequence_number = 3)
                WHERE sequence_number = 12
                """);
        else if (what == "index") Noise(journal, PageOf(journal, "journal_uq") * 4096, 4096);
        else
            using (var file = File.OpenWrite(journal)) file.SetLength(file.Length * 3 / 4);

        var rescued = Rescued(one);
        if (what == "index")
        {
            // It is not needed.
            Assert.Equal(U(400), rescued.Backup.At);
            return;
        }

        Says($"{JournalFile.Name} cannot be used behind fact ");
        if (what == "file")
        {
            Assert.InRange(rescued.Backup.At.Value, 1, 399);
            return;
        }

        Says("knows that uids up to 390 were committed; the best folder has them up to 100: 290 writes are missing");
        Has(100);
    }

    // From 0 on.
    private static long PageOf(string journal, string index)
    {
        using var connection = new SqliteConnection(JournalFile.ConnectionString(journal, pooling: false));
        connection.Open();
        return (long)JournalFile.Scalar(connection, $"SELECT rootpage FROM sqlite_master WHERE name = '{index}'")! - 1;
    }

    [Fact]
    public void What_is_known_behind_the_damage_names_what_is_missing()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 10), Entries(1, 11, 20, 10), Entries(1, 21, 30, 20)]);
        Execute(JournalOf(one), "UPDATE journal SET message = zeroblob(20) WHERE sequence_number = 3");
        Rescued(one);
        Says("cannot be used behind fact 2 of 4: The checksum of an event is wrong");
        Says($"{one} knows that uids up to 20 were committed; ");
        Says("the best folder has them up to 10: 10 writes are missing");
        Says("had uids up to 30, and those behind 20 cannot be used");
        Says("no in-sync member of view 1 (n1, n2, n3) is here with a whole folder");
        Has(10);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checkpoint_is_not_needed_where_the_journal_has_everything(bool isThere)
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20), Entries(1, 21, 40, 20)], checkpointOf: 3);
        var store = Path.Combine(one, StoreFile.Name);
        if (isThere) Noise(store, 8192, 4096);
        else File.Delete(store);
        Rescued(one);
        if (isThere) Says($"{StoreFile.Name} cannot be used: ");
        Has(40);
    }

    [Fact]
    public void A_checkpoint_counts_without_its_journal()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 0), Entries(1, 21, 40, 20)], checkpointOf: 3);
        File.Delete(Path.Combine(one, JournalFile.Name));
        Rescued(one);
        Says($"{JournalFile.Name} is missing");
        Says("no in-sync member of view 1 (n1, n2, n3) is here with a whole folder");
        Has(20);
    }

    [Fact]
    public void Before_all_facts_that_a_checkpoint_has_seen_nothing_behind_it_counts()
    {
        // Its log still has 21..25, which the third fact has dropped.
        var one = Folder(
            1, [Accepted(First), Entries(1, 1, 25, 20), Accepted(Second(21), Range(21, 25)), Entries(2, 21, 22, 20)],
            checkpointOf: 4);
        Execute(JournalOf(one), "UPDATE journal SET message = zeroblob(20) WHERE sequence_number = 3");
        Rescued(one);
        Has(20);
    }

    [Fact]
    public void A_folder_whose_journal_needs_the_checkpoint_that_is_gone_says_so_and_what_it_knows_counts()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20), Entries(1, 21, 40, 30)]);
        Execute(JournalOf(one), "DELETE FROM journal WHERE sequence_number < 3");
        Refused<BadBackupException>("none of the folders has a write that can be used", one);
        Says("it begins with fact 3, and needs its checkpoint");
        var two = Folder(2, [Accepted(First), Entries(1, 1, 25, 10)]);
        Assert.Equal(two, Rescued(one, two).From);
        Says($"{one} knows that uids up to 30 were committed; the best folder has them up to 25: 5 writes are missing");
        Has(25);
    }

    [Fact]
    public void A_journal_that_lost_its_tail_is_not_whole()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10), Entries(1, 21, 40, 20)]);
        Execute(JournalOf(one), "DELETE FROM journal WHERE sequence_number = 3");
        Rescued(one);
        Says($"{JournalFile.Name} ends at fact 2, and had 3");
        Says("no in-sync member of view 1 (n1, n2, n3) is here with a whole folder");
        Has(20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_its_identity_a_folder_is_of_whom_its_files_say(bool withCheckpoint)
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)], withCheckpoint ? 2 : 0);
        File.Delete(Path.Combine(one, "identity"));
        Rescued(one);
        Says($"{one}: n1, store {Store:D}, in-sync in view 1");
        Says("identity is missing");
        Has(20);
    }

    [Fact]
    public void Stores_are_not_mixed()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)]);
        var other = Guid.Parse("00000000-0000-0000-0000-000000000008");
        var two = Folder(2, [Accepted(First with { Cluster = other }), Entries(1, 1, 30, 10)]);
        Refused<BadBackupException>($"{one} is of store {Store:D}, {two} of store {other:D}", one, two);
    }

    [Fact]
    public void Nor_are_two_histories_of_one_store()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)]);
        var other = View(1, 2, 3, [1, 2, 3], (1, 1)) with { Cluster = Store };
        var two = Folder(2, [Accepted(other), Entries(1, 1, 30, 10)]);
        Refused<BadBackupException>("know different writes of one epoch", one, two);
        // A view that began below what an older one had committed.
        var three = Folder(3, [Accepted(Second(5)), Entries(2, 5, 9, 3)]);
        Refused<BadBackupException>("know different writes of one epoch", one, three);
    }

    [Fact]
    public void What_a_node_uses_is_refused_and_a_node_is_kept_from_what_is_read()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)]);
        using (DataFolder.Open(one, Node(1)))
            Refused<NodeFailedException>("is in use by pid", one);
        using (RescueFolder.Open(one))
        {
            var error = Assert.Throws<NodeFailedException>(() => DataFolder.Open(one, Node(1)));
            Assert.Contains("is in use by", error.Message, StringComparison.Ordinal);
        }

        Rescued(one);
        Has(20);
    }

    [Fact]
    public void It_is_made_in_new_folders_of_data_folders_only()
    {
        var one = Folder(1, [Accepted(First), Entries(1, 1, 20, 10)]);
        Refused<BadBackupException>("there is no such folder", one, _folder.File("none"));
        Refused<BadBackupException>("is no data folder", _folder.Path);
        Directory.CreateDirectory(Path.Combine(Out, "b"));
        File.WriteAllText(Path.Combine(Out, "b", "identity"), "x");
        Assert.Contains(
            "has data", Assert.Throws<BadBackupException>(() => Rescued(one)).Message, StringComparison.Ordinal);
        Assert.Contains("has data", Assert.Throws<BadBackupException>(
            () => Rescue.Run(Path.Combine(Out, "b"), [one], ["a"], _lines.Add)).Message, StringComparison.Ordinal);
        Assert.Equal(["b"], Directory.EnumerateFileSystemEntries(Out).Select(Path.GetFileName));
        // Empty folders are no data, nor is what a rescue left that was killed.
        File.Delete(Path.Combine(Out, "b", "identity"));
        Directory.CreateDirectory(Path.Combine(Out, "rescue.partial", "copy", "x"));
        Rescued(one);
        Has(20);
    }
}
