namespace RecoverKV.Host.LocalCluster;

/// <summary>The folder above the nodes' data folders, held by one <c>recoverkv up</c> at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(FileStream @lock) => _lock = @lock;

    /// <summary>Takes hold of the folder, makes it if it is not there, and empties it if asked to.</summary>
    /// <exception cref="UsageException">It is no folder of a local cluster of this size.</exception>
    /// <exception cref="CommandFailedException">It is in use, or not accessible.</exception>
    public static DataFolder Open(LocalClusterOptions options)
    {
        var path = Path.GetFullPath(options.Data);
        try
        {
            Directory.CreateDirectory(path);
            var folder = new DataFolder(Lock(path));
            try
            {
                if (options.Fresh) Empty(path, options.Plan());
                else CheckSize(path, options.Nodes);
                // A partition is for the tests of one run.
                foreach (var node in NodeFolders(path)) Actors.Storage.DataFolder.LiftHealFrom(node);
                return folder;
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"the data folder {path}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static FileStream Lock(string path)
    {
        var file = Path.Combine(path, "up.lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new CommandFailedException($"the data folder {path} is in use by another `recoverkv up`");
        }
    }

    private static List<string> NodeFolders(string path) =>
        [.. Directory.GetDirectories(path, "node*").Where(NodeConfigFile.Marks)];

    private static void Empty(string path, IReadOnlyList<LocalNode> plan)
    {
        foreach (var node in plan)
        {
            if (Directory.Exists(node.Folder) && !NodeConfigFile.Marks(node.Folder)
                && Directory.EnumerateFileSystemEntries(node.Folder).Any())
                throw new UsageException(
                    $"--fresh: {node.Folder} was not made by `recoverkv up` and is not deleted; move it away");
        }

        foreach (var folder in NodeFolders(path)) Directory.Delete(folder, recursive: true);
    }

    private static void CheckSize(string path, int nodes)
    {
        var found = NodeFolders(path).Count;
        if (found > 0 && found != nodes)
            throw new UsageException(
                $"the data folder {path} is of {found} nodes: run with --nodes {found}, or begin empty with --fresh");
    }
}
