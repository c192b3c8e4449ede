using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>
/// R11: the data folder of a node that does not run, or one that was set aside, for <see cref="Rescue"/>. Nothing in it
/// is changed: what SQLite may have to write to is copied first. As long as this lives no node can use the folder. Not
/// thread-safe.
/// </summary>
internal sealed class RescueFolder : IDisposable
{
    private readonly FolderLock? _lock;

    private RescueFolder(string path, FolderLock? taken) => (Path, _lock) = (path, taken);

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>Takes the folder.</summary>
    /// <exception cref="BadBackupException">It is no data folder.</exception>
    /// <exception cref="NodeFailedException">A node uses it.</exception>
    public static RescueFolder Open(string path)
    {
        if (!Directory.Exists(path)) throw new BadBackupException($"{path}: there is no such folder");
        if (!IsDataFolder(path))
            throw new BadBackupException(
                $"{path} is no data folder: it has neither {DataFolder.IdentityName} nor {JournalFile.Name} nor "
                + $"{StoreFile.Name}");
        return new RescueFolder(path, FolderLock.TakeForReading(path));
    }

    /// <summary>Whether the files of a replica are right in this folder.</summary>
    public static bool IsDataFolder(string path) => new[] { DataFolder.IdentityName, JournalFile.Name, StoreFile.Name }
        .Any(name => File.Exists(System.IO.Path.Combine(path, name)));

    /// <summary>Reads all that can be read.</summary>
    /// <param name="working">A folder for copies; it is there only meanwhile.</param>
    /// <param name="newest">The newest view that any replica has accepted; null for its own.</param>
    public RescuedReplica Read(string working, View? newest)
    {
        if (Directory.Exists(working)) Directory.Delete(working, recursive: true);
        DurableFiles.CreateFolder(working);
        try
        {
            var damage = new List<string>();
            var identity = ReadIdentity(damage);
            foreach (var name in new[] { StoreFile.Name, JournalFile.Name })
            {
                foreach (var file in new[] { name, name + "-wal", name + "-journal" }.Where(f => File.Exists(In(f))))
                {
                    if (Copy(In(file), System.IO.Path.Combine(working, file)) is { } why)
                        damage.Add($"{file} cannot be read: {why}");
                }
            }

            var reading = new RescueReading(Path, working, identity, In(JournalCount.Name), newest, damage);
            return reading.Read();
        }
        finally
        {
            Directory.Delete(working, recursive: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock?.Dispose();

    private Identity? ReadIdentity(List<string> damage)
    {
        if (!File.Exists(In(DataFolder.IdentityName)))
        {
            damage.Add($"{DataFolder.IdentityName} is missing");
            return null;
        }

        var identity = Identity.Parse(File.ReadAllText(In(DataFolder.IdentityName)));
        if (identity is null) damage.Add($"{DataFolder.IdentityName} is damaged");
        return identity;
    }

    // Why not all of it could be read; a disk that takes nothing is no fault of the folder.
    private static string? Copy(string from, string to)
    {
        using var source = new FileStream(
            from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using var target = new FileStream(to, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var buffer = new byte[1024 * 1024];
        while (true)
        {
            int read;
            try
            {
                read = source.Read(buffer);
            }
            catch (IOException e)
            {
                return e.OneLine();
            }

            if (read == 0) return null;
            target.Write(buffer, 0, read);
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
