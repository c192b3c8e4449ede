using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// Brings what was written to a large file to the disk in small steps, with a rest as long as each took: the journal's
/// commits, for which clients wait, come between them instead of behind all of it. Used by one thread.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class PacedSync(string path) : IDisposable
{
    private const long Step = 512 * 1024;

    // Written back already, or nothing was there.
    private static readonly TimeSpan Nothing = TimeSpan.FromMilliseconds(0.3);

    // No more is appended at once: a few times what SQLite keeps in memory of it.
    private const long Ahead = 64 * 1024 * 1024;
    private SafeFileHandle? _file;
    private long _from;

    /// <summary>The file is written from its begin again.</summary>
    public void Begin() => _from = 0;

    /// <summary>What was appended since the last time is on the disk then, for the most part; <see cref="Finish"/> sees
    /// to the rest.
    /// </summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public void Run() => _from = Sync(_from, _from + Ahead);

    private long Sync(long from, long to)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path)) return from;
        var end = Math.Min(to, RandomAccess.GetLength(Opened));
        var last = from;
        for (; from < end; from += Step)
        {
            var begun = Stopwatch.GetTimestamp();
            if (SyncRange(Opened, from, Step, WaitWriteWait) != 0)
                throw new IOException(
                    $"{path} cannot be synced: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
            var took = Stopwatch.GetElapsedTime(begun);
            if (took <= Nothing) continue;
            Thread.Sleep(took);
            last = from;
        }

        return last;
    }

    private SafeFileHandle Opened =>
        _file ??= File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>All that was written is on the disk when it returns.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public void Finish()
    {
        Sync(0, long.MaxValue);
        RandomAccess.FlushToDisk(Opened);
    }

    /// <summary>Closes the file. Of a file that SQLite has locked this lets go of its locks: that must be closed
    /// first.</summary>
    public void Dispose() => _file?.Dispose();

    private const uint WaitWriteWait = 7;

    [DllImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SyncRange(SafeFileHandle file, long offset, long count, uint flags);
}
