using System.Globalization;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// Whether a node's disk has room for more data. What the next checkpoint may take is kept free, for it is what lets
/// the journal forget; and a file keeps some more, which is given back when the volume is full nevertheless: so
/// promises, views and deletions can still be written. One call at a time.
/// </summary>
/// <param name="folder">The data folder.</param>
/// <param name="quota">How many bytes it may have; null: as many as its volume has.</param>
/// <param name="sharers">How many nodes probably write to the volume.</param>
internal sealed class DiskRoom(string folder, long? quota, int sharers)
{
    /// <summary>The file that keeps room.</summary>
    internal const string ReserveName = "reserve";

    private const long LeastReserve = 1024 * 1024, MostReserve = 64 * 1024 * 1024;

    // Of the state in memory, on the disk.
    private const double Growth = 1.1;
    private readonly string _reserve = Path.Combine(folder, ReserveName);
    private string? _full;

    /// <summary>At most a part of the room is for what can be forgotten.</summary>
    public static long ShareOf(string folder, long? quota) =>
        Math.Min(quota ?? long.MaxValue, new DriveInfo(folder).TotalSize) / 8;

    /// <summary>Why there is no room, in a few words; null if there is.</summary>
    /// <param name="stateBytes">What the state takes in memory.</param>
    /// <exception cref="IOException">The volume cannot be looked at.</exception>
    public string? Look(long stateBytes)
    {
        var volume = new DriveInfo(folder);
        var reserve = Math.Clamp(Math.Min(quota ?? long.MaxValue, volume.TotalSize) / 64, LeastReserve, MostReserve);
        var free = KeepReserve(reserve, volume.AvailableFreeSpace);
        var (used, store) = Used();
        var most = (long)(Growth * stateBytes);
        // It writes all of what it has anew, beside what is there, and grows.
        var needed = reserve + Math.Max(0, 2 * most - store);
        // It is left only well above, so that it does not come and go.
        if (_full is not null) needed += reserve;
        var left = (quota ?? long.MaxValue) - used;
        var full = left < needed ? Words(left, "recoverkv.quota.disk", needed)
            : free < sharers * needed ? Words(free, "the volume", sharers * needed)
            : null;
        // The numbers change all the time; those of when it began tell enough.
        return _full = full is null ? null : _full ?? full;
    }

    /// <summary>Before anything is written: if the volume is full, the file that keeps room goes.</summary>
    internal static void GiveBack(string folder)
    {
        var reserve = new FileInfo(Path.Combine(folder, ReserveName));
        if (reserve.Exists && new DriveInfo(folder).AvailableFreeSpace < reserve.Length / 2) reserve.Delete();
    }

    private long KeepReserve(long size, long free)
    {
        var file = new FileInfo(_reserve);
        if (file.Exists && (free < file.Length / 2 || file.Length != size))
        {
            free += file.Length;
            file.Delete();
        }
        else if (!file.Exists && free > 4 * size)
        {
            try
            {
                using var made = new FileStream(
                    _reserve,
                    new FileStreamOptions
                    {
                        Mode = FileMode.CreateNew,
                        Access = FileAccess.Write,
                        PreallocationSize = size
                    });
                made.SetLength(size);
                free -= size;
            }
            catch (IOException)
            {
                // Somebody else was faster.
                File.Delete(_reserve);
            }
        }

        return free;
    }

    // Also what was set aside.
    private (long All, long Store) Used()
    {
        long all = 0, store = 0;
        var options = new EnumerationOptions { RecurseSubdirectories = true };
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", options))
        {
            if (file.FullName == _reserve) continue;
            // A file may go while one looks.
            var length = file.Exists ? file.Length : 0;
            all += length;
            if (file.Name is StoreFile.Name or StoreFile.Name + "-wal" && file.DirectoryName == folder) store += length;
        }

        return (all, store);
    }

    private static string Words(long left, string of, long needed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Mebi(left)} MiB of {of} are left, and checkpoints may take {Mebi(needed)} MiB");

    private static long Mebi(long bytes) => Math.Max(0, bytes) >> 20;
}
