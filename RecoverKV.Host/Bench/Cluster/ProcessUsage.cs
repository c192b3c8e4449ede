using System.Diagnostics;

namespace RecoverKV.Host.Bench.Cluster;

/// <summary>What processes use, as the system counts it.</summary>
internal static class ProcessUsage
{
    /// <summary>The processor time of a process; zero if it has ended.</summary>
    public static TimeSpan Cpu(int pid) => Of(pid, static p => p.TotalProcessorTime);

    /// <summary>The bytes of memory that a process has; zero if it has ended.</summary>
    public static long ResidentBytes(int pid) => Of(pid, static p => p.WorkingSet64);

    private static T Of<T>(int pid, Func<Process, T> ask) where T : struct
    {
        if (pid == 0) return default;
        try
        {
            using var process = Process.GetProcessById(pid);
            return ask(process);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // How .NET says that there is no such process.
            return default;
        }
    }
}
