using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace RecoverKV.Simulation;

/// <summary>
/// Names the sources of core and simulator, which are embedded for this: the same sources have the same id on every
/// machine, in Debug and Release, at any commit. (The module version id of a deterministic build would not do: it also
/// depends on the folder, the configuration, the compiler and the commit.)
/// </summary>
internal static class BuildId
{
    private const string Prefix = "source/";

    public static string Value { get; } = Of(Embedded());

    internal static string Of(IEnumerable<(string Name, string Text)> sources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, text) in sources.OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
            // Git may check out other line ends elsewhere.
            hash.AppendData(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n") + "\0"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    internal static IEnumerable<(string Name, string Text)> Embedded()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return (name[Prefix.Length..].Replace('\\', '/'), reader.ReadToEnd());
        }
    }
}
