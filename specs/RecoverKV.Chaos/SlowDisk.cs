namespace RecoverKV.Chaos;

/// <summary>A library in C that makes the syncs of one process slow (<c>slowdisk.c</c>), compiled where there is a
/// compiler: no right over a real device is needed.</summary>
internal static class SlowDisk
{
    /// <summary>Compiles it into a folder.</summary>
    /// <returns>Its path; null where it cannot be compiled.</returns>
    public static async Task<string?> CompileAsync(string folder)
    {
        if (!OperatingSystem.IsLinux() || !Commands.Exists("cc")) return null;
        var library = Path.Combine(folder, "slowdisk.so");
        var source = Path.Combine(AppContext.BaseDirectory, "slowdisk.c");
        var (code, _, _) = await Commands.TryAsync("cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl");
        return code == 0 ? library : null;
    }
}
