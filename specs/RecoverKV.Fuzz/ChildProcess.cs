using System.Diagnostics;

namespace RecoverKV.Fuzz;

/// <summary>Runs the fuzzing in another process and watches it: that it ends by itself, and never works on one input
/// for long.</summary>
internal sealed class ChildProcess(string[] arguments, TextWriter output)
{
    // A thousand times what the longest input may take: a machine that does something else is no hang.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public int Run()
    {
        var file = Path.GetTempFileName();
        try
        {
            using var window = new Window(file);
            using var child = Process.Start(
                new ProcessStartInfo(Environment.ProcessPath!, [.. arguments, "--child", file]))!;
            return Watch(child, window) is { } problem ? Report(problem, window) : child.ExitCode;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string? Watch(Process child, Window window)
    {
        var (count, since) = (window.Count, Stopwatch.GetTimestamp());
        while (!child.WaitForExit(TimeSpan.FromSeconds(1)))
        {
            if (window.Count != count) (count, since) = (window.Count, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) < Patience) continue;
            child.Kill();
            child.WaitForExit();
            return $"takes more than {Patience.TotalSeconds} s";
        }

        return child.ExitCode is 0 or 1 or 2 ? null : $"ends the process with {child.ExitCode}";
    }

    private int Report(string problem, Window window)
    {
        output.WriteLine($"{window.Target}: an input of {window.Input.Length} bytes {problem}:");
        output.WriteLine(Fuzz.Report.Text(window.Input));
        return 1;
    }
}
