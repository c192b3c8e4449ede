using System.Text;
using System.Text.Unicode;

namespace RecoverKV.Host;

/// <summary>The arguments as the system gave them. .NET reads them as UTF-8 and puts the same character in the place of
/// all that is none: two different keys would become one.</summary>
internal static class RawArguments
{
    /// <summary>Refuses arguments that are no UTF-8.</summary>
    /// <exception cref="UsageException">One is not.</exception>
    public static void Check(string[] args)
    {
        // Without it nothing was replaced; with it, it may also have been given.
        if (!OperatingSystem.IsLinux() || !args.Any(a => a.Contains('\uFFFD', StringComparison.Ordinal))) return;
        Check(File.ReadAllBytes("/proc/self/cmdline"), args.Length);
    }

    /// <summary>The same for a command line, each of its words followed by a NUL.</summary>
    internal static void Check(ReadOnlySpan<byte> commandLine, int arguments)
    {
        var words = new List<Range>();
        if (commandLine.EndsWith((byte)0)) commandLine = commandLine[..^1];
        foreach (var word in commandLine.Split((byte)0)) words.Add(word);
        foreach (var word in words.TakeLast(arguments))
        {
            var bytes = commandLine[word];
            if (!Utf8.IsValid(bytes))
                throw new UsageException(
                    $"the argument \"{Failures.OneLine(Encoding.UTF8.GetString(bytes))}\" is no UTF-8: give a key or "
                    + "value of other bytes in hexadecimal with --hex, or a value by a file with --file");
        }
    }
}
