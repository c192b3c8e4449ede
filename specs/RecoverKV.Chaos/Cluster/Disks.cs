namespace RecoverKV.Chaos.Cluster;

/// <summary>A small file system in memory for each node, so that one can be full. Needs root.</summary>
internal sealed class Disks : IAsyncDisposable
{
    private const string Ballast = "ballast";

    private readonly List<string> _mounted = [];

    /// <summary>Whether disks can be filled.</summary>
    public bool AreSmall { get; private init; }

    public static async Task<Disks> CreateAsync(IEnumerable<string> folders)
    {
        var disks = new Disks { AreSmall = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Commands.Exists("mount") };
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(folder);
            if (!disks.AreSmall) continue;
            await Commands.RunAsync("mount", "-t", "tmpfs", "-o", "size=768m", "recoverkv-chaos", folder);
            disks._mounted.Add(folder);
        }

        return disks;
    }

    /// <summary>Fills a node's disk to the last byte.</summary>
    public static void Fill(string folder)
    {
        using var file = new FileStream(Path.Combine(folder, Ballast), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
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

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in _mounted) await Commands.TryAsync("umount", "-l", folder);
    }
}
