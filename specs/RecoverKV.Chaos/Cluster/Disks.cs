using System.ComponentModel;
using System.Runtime.InteropServices;

namespace RecoverKV.Chaos.Cluster;

/// <summary>A small file system in memory for each node, so that one can be full. Needs root.</summary>
internal sealed partial class Disks : IAsyncDisposable
{
    private const string Ballast = "ballast";
    private const string Kind = "tmpfs", Source = "recoverkv-chaos";
    private const int Remount = 32;
    private const long Size = 768L * 1024 * 1024;

    private readonly List<string> _mounted = [];

    /// <summary>Whether disks can be filled.</summary>
    public bool AreSmall { get; private init; }

    public static async Task<Disks> CreateAsync(IEnumerable<string> folders)
    {
        var disks = new Disks
        {
            AreSmall = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Commands.Exists("mount")
        };
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(folder);
            if (!disks.AreSmall) continue;
            await Commands.RunAsync("mount", "-t", Kind, "-o", $"size={Size}", Source, folder);
            disks._mounted.Add(folder);
        }

        return disks;
    }

    /// <summary>Fills a node's disk to the last byte.</summary>
    public static void Fill(string folder)
    {
        using var file = new FileStream(
            Path.Combine(folder, Ballast), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[1024 * 1024];
        for (var size = block.Length; size > 0;)
        {
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2; // full, but for less than this
            }
        }
    }

    public static void Free(string folder) => File.Delete(Path.Combine(folder, Ballast));

    /// <summary>From this moment on a disk has no more room than what is on it.</summary>
    public static void Shrink(string folder)
    {
        const int invalid = 22;
        var disk = new DriveInfo(folder);
        // What is written meanwhile makes it larger than it was; and a size of 0 is none at all.
        int error;
        while ((error = SetSize(
            folder, Math.Max(Environment.SystemPageSize, disk.TotalSize - disk.TotalFreeSpace))) != 0)
        {
            if (error != invalid) throw new Win32Exception(error);
        }
    }

    /// <summary>It has as much again as before.</summary>
    public static void Widen(string folder)
    {
        if (SetSize(folder, Size) is var error and not 0) throw new Win32Exception(error);
    }

    private static int SetSize(string folder, long size) =>
        Mount(Source, folder, Kind, Remount, $"size={size}") == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string kind, nuint flags, string data);

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in _mounted) await Commands.TryAsync("umount", "-l", folder);
    }
}
