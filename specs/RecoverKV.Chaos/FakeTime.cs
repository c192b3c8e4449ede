namespace RecoverKV.Chaos;

/// <summary>libfaketime, with which the wall clock of one process can be made to jump (Debian:
/// <c>libfaketime</c>).</summary>
internal static class FakeTime
{
    /// <summary>Its path, null where it is not installed.</summary>
    public static string? Library { get; } =
        new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib" }
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);
}
