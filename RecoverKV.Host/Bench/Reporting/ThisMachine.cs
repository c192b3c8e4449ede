using System.Reflection;
using System.Runtime.InteropServices;

namespace RecoverKV.Host.Bench.Reporting;

/// <summary>The machine and the program, for the report.</summary>
internal static class ThisMachine
{
    /// <summary>The version of the program.</summary>
    public static string Version
    {
        get
        {
            var assembly = typeof(ThisMachine).Assembly;
            var configuration = assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration;
            return $"{assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion} "
                + $"({configuration})";
        }
    }

    /// <summary>Describes it.</summary>
    public static Machine Describe() => new(
        RuntimeInformation.OSDescription,
        FirstLine("/proc/cpuinfo", "model name")?.Split(':', 2)[^1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        RuntimeInformation.FrameworkDescription,
        FirstLine("/proc/loadavg", "") is { } load ? string.Join(' ', load.Split(' ').Take(3)) : null);

    private static string? FirstLine(string file, string start) => File.Exists(file)
        ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(start, StringComparison.Ordinal))
        : null;
}
