using Microsoft.Data.Sqlite;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Storage;

/// <summary>R10: a backup that is not whole, or not as it was written, is refused with one line; one that is makes
/// folders of a new store.</summary>
public sealed class BackupSpec : IDisposable
{
    private static readonly Guid Cluster = Guid.Parse("00000000-0000-0000-0000-000000000007");
    private readonly TemporaryFolder _folder = new();
    private readonly KeyValueState _state = new();
    private readonly StateTotals _totals;

    public BackupSpec()
    {
        _state.Apply(U(1), WriteRequestCodec.Create(0, 1, 0, []));
        for (var i = 1; i <= 300; i++) _state.Apply(_state.Applied.Next, Write(1, i, Put($"k{i}", new string('v', i))));
        var capture = _state.Capture();
        _totals = new StateTotals(
            capture.Revision, capture.KeyCount, capture.Digest, capture.SessionCount, capture.SessionBytes);
        using var file = StoreFile.Open(File);
        while (capture.Next(50, 10_000) is { } part) file.Take(_state.Applied, part);
        Backup.Finish(file, Info);
    }

    private BackupInfo Info => new(Cluster, _state.Applied, _totals, 8 << 20);

    private string File => _folder.File("backup.rkv");

    private string Restored => _folder.File("restored");

    public void Dispose() => _folder.Dispose();

    private void Refused(string says)
    {
        foreach (var use in new Action[] { () => Backup.Verify(File), () => Backup.Restore(File, Restored, ["node1"]) })
        {
            var error = Assert.Throws<BadBackupException>(use);
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
            Assert.Contains(File, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }

        Assert.False(Directory.Exists(Restored) && Directory.EnumerateFileSystemEntries(Restored).Any());
    }

    private void Change(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        JournalFile.Execute(connection, sql);
    }

    [Fact]
    public void A_whole_one_says_what_it_has_and_is_one_file_that_may_be_read_only()
    {
        Assert.Equal(["backup.rkv"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        if (OperatingSystem.IsLinux()) System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead);
        Assert.Equal(Info, Backup.Verify(File));
        Assert.Equal(["backup.rkv"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Restored_it_is_the_state_of_a_new_store_in_a_folder_for_each_node()
    {
        string[] nodes = ["a", "b", "c"];
        if (OperatingSystem.IsLinux()) System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead);
        var (info, cluster) = Backup.Restore(File, Restored, nodes);
        Assert.Equal(_totals, info.Totals);
        Assert.NotEqual(Cluster, cluster);
        var views = new HashSet<string>();
        foreach (var node in nodes)
        {
            using var folder = DataFolder.Open(Path.Combine(Restored, node), new NodeId(node));
            Assert.Equal((cluster, false, 2L), (folder.Cluster, folder.IsNew, folder.DurableFacts));
            var state = new KeyValueState();
            var head = StoreReader.Load(folder.Store, state)!;
            Assert.Equal(
                (_state.Digest, _state.Applied, _state.Revision), (state.Digest, state.Applied, state.Revision));
            Assert.Equal((folder.PersistenceId, cluster, 3L), (head.Replica, head.Cluster, head.Base.ReplayFrom));
            Assert.True(head.Base.View.IsInSync(folder.Member));
            Assert.Equal(8 << 20, head.Base.View.FrameSize);
            views.Add(Protocol.Text.Of(head.Base.View));
        }

        Assert.Single(views);
        Assert.Equal(nodes, Directory.GetDirectories(Restored).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_node_s_checkpoint_is_no_backup()
    {
        using (var file = StoreFile.Open(File))
        {
            file.Begin(all: false);
            file.Finish(new StoreHead(
                "replica-n1", Cluster, _totals.Revision, _totals.Keys, _totals.Digest, _totals.Sessions,
                _totals.SessionBytes, LogBase.None with { Applied = _state.Applied }));
        }

        Refused("is the checkpoint of replica-n1, and no backup");
    }

    [Fact]
    public void It_is_not_restored_over_data()
    {
        Directory.CreateDirectory(Path.Combine(Restored, "b"));
        System.IO.File.WriteAllText(Path.Combine(Restored, "b", "identity"), "x");
        var error = Assert.Throws<BadBackupException>(() => Backup.Restore(File, Restored, ["a", "b"]));
        Assert.Contains("has data", error.Message, StringComparison.Ordinal);
        Assert.Equal(["b"], Directory.GetDirectories(Restored).Select(Path.GetFileName));
        // Empty folders are no data, nor is what a restore left that was killed.
        System.IO.File.Delete(Path.Combine(Restored, "b", "identity"));
        Directory.CreateDirectory(Path.Combine(Restored, "a.restoring", "x"));
        Backup.Restore(File, Restored, ["a", "b"]);
        Assert.Equal(["a", "b"], Directory.GetDirectories(Restored).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Noise_anywhere_is_found_or_harmless()
    {
        var good = System.IO.File.ReadAllBytes(File);
        var random = new Random(5);
        var found = 0;
        for (var i = 0; i < 60; i++)
        {
            var bytes = (byte[])good.Clone();
            random.NextBytes(bytes.AsSpan(random.Next(bytes.Length - 8), random.Next(1, 8)));
            System.IO.File.WriteAllBytes(File, bytes);
            try
            {
                Assert.Equal(Info, Backup.Verify(File));
            }
            catch (BadBackupException)
            {
                found++;
            }
        }

        Assert.True(found > 10, $"only {found} were found");
    }

    [Fact]
    public void One_that_is_cut_off_is_refused()
    {
        using (var file = System.IO.File.OpenWrite(File)) file.SetLength(file.Length / 2);
        Refused("damaged");
        System.IO.File.WriteAllBytes(File, []);
        Refused("damaged");
        System.IO.File.Delete(File);
        Refused("there is no such file");
    }

    [Fact]
    public void One_that_was_not_finished_is_refused()
    {
        System.IO.File.Delete(File);
        var capture = new KeyValueState().Capture();
        using (var file = StoreFile.Open(File))
        {
            file.Take(U(3), new StatePart());
            Assert.Throws<BadBackupException>(() => Backup.Finish(file, Info with { At = U(3) }));
        }

        Refused("not whole");
    }

    [Theory]
    [InlineData("PRAGMA user_version = 2", "of another build")]
    [InlineData("PRAGMA application_id = 1", "is no backup")]
    [InlineData("DELETE FROM records WHERE key = CAST('k3' AS BLOB)", "299 keys of 300")]
    [InlineData("UPDATE records SET value = CAST('x' AS BLOB) WHERE key = CAST('k3' AS BLOB)", "damaged")]
    [InlineData("UPDATE sessions SET used = used + 1", "damaged")]
    [InlineData("UPDATE checkpoint SET uid = uid + 1, log = zeroblob(30)", "damaged")]
    [InlineData("DELETE FROM checkpoint", "not whole")]
    [InlineData("DROP TABLE records", "damaged")]
    [InlineData("UPDATE checkpoint SET replica = 'replica-n1'", "damaged")]
    public void One_that_was_altered_is_refused(string change, string says)
    {
        Change(change);
        Refused(says);
    }
}
