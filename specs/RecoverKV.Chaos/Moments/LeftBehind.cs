namespace RecoverKV.Chaos.Moments;

/// <summary>What a data folder must not have when nothing is under way.</summary>
internal static class LeftBehind
{
    private static readonly HashSet<string> Known =
    [
        "identity", "journal.db", "journal.db-wal", "journal.count", "store.db", "store.db-wal", "lock", "pid",
        "reserve",
    ];

    /// <summary>The first thing that does not belong there; null if there is none.</summary>
    public static string? In(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(f => !Known.Contains(Path.GetFileName(f)));

    /// <summary>Bytes of all files.</summary>
    public static long Size(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(f => f.Length);
}
