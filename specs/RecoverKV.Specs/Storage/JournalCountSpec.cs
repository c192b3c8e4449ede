using System.Globalization;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Specs.Storage;

/// <summary>R11: the count beside a journal follows it, and tells when the journal lost its tail.</summary>
public sealed class JournalCountSpec : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder.File(JournalCount.Name);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_says_how_far_the_journal_had_come_also_when_the_journal_is_an_older_copy()
    {
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(1, 1), JournalHarness.Entries(2, 1));
        Assert.Equal(2, DurableFacts());
        System.IO.File.Copy(_folder.File("journal.db"), _folder.File("copy"));
        await JournalHarness.WriteAsync(_folder.Path, JournalHarness.Entries(3, 1));
        Assert.Equal(3, DurableFacts());

        System.IO.File.Move(_folder.File("copy"), _folder.File("journal.db"), overwrite: true);
        await using var node = JournalHarness.Start(_folder.Path);
        Assert.Equal((2, 3L), ((await node.Recovered).Count, node.Folder.DurableFacts));
    }

    [Fact]
    public void A_new_journal_has_a_count_of_nothing()
    {
        Assert.Equal(0, DurableFacts());
        Assert.True(System.IO.File.Exists(File));
    }

    [Fact]
    public void Of_a_folder_of_a_build_without_it_only_the_mark_of_use_is_known()
    {
        Assert.Equal(0, DurableFacts());
        System.IO.File.Delete(File);
        Assert.Equal(0, DurableFacts());
        System.IO.File.WriteAllText(_folder.File("used"), "");
        Assert.Equal(1, DurableFacts());
    }

    [Fact]
    public void What_is_another_replicas_or_damaged_says_nothing()
    {
        Assert.Null(JournalCount.Read(File, "replica"));
        using (var count = new JournalCount(File))
        {
            foreach (var number in new[] { 1, 255, long.MaxValue })
            {
                count.Write("replica", number);
                Assert.Equal(number, JournalCount.Read(File, "replica"));
            }
        }

        Assert.Null(JournalCount.Read(File, "another"));
        var intact = System.IO.File.ReadAllBytes(File);
        for (var bit = 0; bit < 8 * intact.Length; bit++)
        {
            var damaged = intact.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            System.IO.File.WriteAllBytes(File, damaged);
            Assert.Null(JournalCount.Read(File, "replica"));
        }

        foreach (var length in new[] { 0, 15, 17 })
        {
            System.IO.File.WriteAllBytes(File, [.. intact.Concat(intact).Take(length)]);
            Assert.Null(JournalCount.Read(File, "replica"));
        }
    }

    [Fact]
    public void A_count_that_cannot_be_written_fails_nothing()
    {
        Directory.CreateDirectory(File);
        using var count = new JournalCount(File);
        count.Write("replica", 1);
        Assert.Null(JournalCount.Read(File, "replica"));
    }

    /// <summary>The lock that keeps other processes out, as the system lists it.</summary>
    [Fact]
    public async Task A_running_nodes_journal_is_locked_against_other_processes()
    {
        await using var node = JournalHarness.Start(_folder.Path);
        await node.PersistAsync(JournalHarness.Entries(1, 1));
        await new JournalReader(node.Folder).ReadAsync(1, 1);
        // Where it is known how to ask. The index of the log is in this process's memory then.
        if (OperatingSystem.IsLinux())
            Assert.Contains(Locks(), l => l is ["POSIX", "ADVISORY", "WRITE", _, _, "1073741826", ..]);
        Assert.Equal(OperatingSystem.IsWindows(), System.IO.File.Exists(_folder.File("journal.db-shm")));
    }

    // "1: POSIX  ADVISORY  WRITE 4711 08:01:1234 1073741826 1073742335": of this process only.
    private static IEnumerable<string[]> Locks() => System.IO.File.ReadLines("/proc/locks")
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..])
        .Where(l => l[3] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    private long DurableFacts()
    {
        using var folder = DataFolder.Open(_folder.Path, new NodeId("node1"));
        return folder.DurableFacts;
    }
}
