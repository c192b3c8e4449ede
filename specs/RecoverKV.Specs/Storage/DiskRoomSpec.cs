using RecoverKV.Actors.Storage;

namespace RecoverKV.Specs.Storage;

/// <summary>Whether a disk has room for more data: what a checkpoint may take is kept free.</summary>
public sealed class DiskRoomSpec : IDisposable
{
    private const long MiB = 1024 * 1024;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void File(string name, long size)
    {
        using var file = System.IO.File.Create(Path.Combine(_folder.Path, name));
        file.SetLength(size);
    }

    [Fact]
    public void All_files_of_the_folder_count_against_its_quota_and_the_room_that_a_checkpoint_may_take()
    {
        // Its reserve is 1 MiB.
        var room = new DiskRoom(_folder.Path, 64 * MiB, 1);
        Assert.Null(room.Look(0));
        File("journal.db", 40 * MiB);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "retired-1"));
        File("retired-1/journal.db", 22 * MiB);
        Assert.Null(room.Look(0));
        // A checkpoint of it may take 2.2 MiB.
        Assert.Equal("2 MiB of recoverkv.quota.disk are left, and checkpoints may take 3 MiB", room.Look(MiB));
        // What the file of the checkpoint has already it does not take once more.
        System.IO.File.Delete(Path.Combine(_folder.Path, "retired-1", "journal.db"));
        File("store.db", 22 * MiB);
        Assert.Null(room.Look(10 * MiB));
    }

    [Fact]
    public void It_is_full_until_there_is_clearly_more_room()
    {
        var room = new DiskRoom(_folder.Path, 64 * MiB, 1);
        File("journal.db", 64 * MiB - 900_000);
        var full = room.Look(0);
        Assert.NotNull(full);
        File("journal.db", 64 * MiB - 1_500_000);
        // Its words stay, for they are told to whoever looks.
        Assert.Equal(full, room.Look(0));
        File("journal.db", 62 * MiB);
        Assert.Null(room.Look(0));
    }

    [Fact]
    public void A_file_keeps_room_on_the_volume()
    {
        var room = new DiskRoom(_folder.Path, 64 * MiB, 1);
        room.Look(0);
        var reserve = new FileInfo(Path.Combine(_folder.Path, DiskRoom.ReserveName));
        Assert.Equal(MiB, reserve.Length);
        // The volume of this test is not full.
        DiskRoom.GiveBack(_folder.Path);
        reserve.Refresh();
        Assert.True(reserve.Exists);
        // It is none of the data.
        File("journal.db", 63 * MiB);
        Assert.Null(room.Look(0));
    }

    [Fact]
    public void What_can_be_forgotten_has_an_eighth_of_the_room() =>
        Assert.Equal(8 * MiB, DiskRoom.ShareOf(_folder.Path, 64 * MiB));
}
