using System.Globalization;

namespace RecoverKV.Actors.Storage;

/// <summary>Keeps a data folder to one node. The operating system lets go of it when the process ends,
/// however.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <exception cref="NodeFailedException">Another node has the folder.</exception>
    public static FolderLock Take(string folder)
    {
        var file = Open(folder, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        try
        {
            File.WriteAllText(PidFile(folder), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // A full disk: the folder is this process's all the same, and only its number is not told.
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new FolderLock(file);
    }

    /// <summary>Keeps nodes away from a folder in which nothing may be changed; null if no node ever used it.</summary>
    /// <exception cref="NodeFailedException">A node has the folder.</exception>
    public static FolderLock? TakeForReading(string folder) =>
        File.Exists(LockFile(folder)) ? new FolderLock(Open(folder, FileMode.Open, FileAccess.Read)) : null;

    public void Dispose() => _file.Dispose();

    private static string LockFile(string folder) => Path.Combine(folder, "lock");

    // The holder's lock keeps others from reading the locked file: its process id stands in another.
    private static string PidFile(string folder) => Path.Combine(folder, "pid");

    private static FileStream Open(string folder, FileMode mode, FileAccess access)
    {
        try
        {
            return new FileStream(LockFile(folder), mode, access, FileShare.None);
        }
        catch (IOException e) when (File.Exists(LockFile(folder)))
        {
            throw new NodeFailedException($"The data folder {folder} is in use by {Holder(folder)}.", e);
        }
    }

    private static string Holder(string folder)
    {
        try
        {
            return File.ReadAllText(PidFile(folder)) is { Length: > 0 } pid ? $"pid {pid}" : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
