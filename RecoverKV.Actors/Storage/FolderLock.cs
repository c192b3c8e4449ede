using System.Globalization;

namespace RecoverKV.Actors.Storage;

/// <summary>Keeps a data folder to one node. The operating system lets go of it when the process ends, however.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <exception cref="NodeFailedException">Another node has the folder.</exception>
    public static FolderLock Take(string folder)
    {
        // The holder's lock keeps others from reading the locked file: its process id stands in another.
        var pidFile = Path.Combine(folder, "pid");
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(Path.Combine(folder, "lock")))
        {
            throw new NodeFailedException($"The data folder {folder} is in use by {Holder(pidFile)}.", e);
        }

        try
        {
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
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

    public void Dispose() => _file.Dispose();

    private static string Holder(string pidFile)
    {
        try
        {
            return File.ReadAllText(pidFile) is { Length: > 0 } pid ? $"pid {pid}" : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
