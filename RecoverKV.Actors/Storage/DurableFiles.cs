using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace RecoverKV.Actors.Storage;

/// <summary>File operations whose effect survives a power loss once they return.</summary>
internal static class DurableFiles
{
    /// <summary>Creates or replaces a small file: whoever looks sees the whole old or the whole new one.</summary>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>As above, with bytes.</summary>
    public static void Write(string path, byte[] content)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        Move(temporary, path);
    }

    /// <summary>Whether an operation failed because the disk, or a quota, is full: it may succeed later.</summary>
    public static bool IsFull(Exception e) =>
        e is IOException
        && (OperatingSystem.IsWindows() ? e.HResult is DiskFull or HandleDiskFull : e.HResult is NoSpace or Quota);

    private const int NoSpace = 28, Quota = 122;
    private const int DiskFull = unchecked((int)0x80070070), HandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Renames a file within one file system, over an existing one if there is one.</summary>
    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        FlushFolder(Path.GetDirectoryName(to)!);
        if (Path.GetDirectoryName(from) != Path.GetDirectoryName(to)) FlushFolder(Path.GetDirectoryName(from)!);
    }

    /// <summary>Creates a folder and those above it.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path)) return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null) CreateFolder(parent);
        Directory.CreateDirectory(path);
        if (parent is not null) FlushFolder(parent);
    }

    /// <summary>Makes the names in a folder durable. Windows does so by itself.</summary>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Native.Open(path, 0);
        if (descriptor < 0) throw NativeError(path);
        try
        {
            // Some file systems cannot sync a folder (EINVAL): they have no more to offer.
            if (Native.Sync(descriptor) != 0 && Marshal.GetLastPInvokeError() != 22) throw NativeError(path);
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    private static IOException NativeError(string path) =>
        new($"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    private static class Native
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Sync(int descriptor);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}
