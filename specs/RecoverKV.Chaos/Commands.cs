using System.Diagnostics;

namespace RecoverKV.Chaos;

/// <summary>Runs other programs.</summary>
internal static class Commands
{
    /// <summary>Whether a program is on the path.</summary>
    public static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin")
            .Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="ChaosException">It failed.</exception>
    public static async Task<string> RunAsync(params string[] command)
    {
        var (code, output, error) = await TryAsync(command);
        return code == 0
            ? output
            : throw new ChaosException($"`{string.Join(' ', command)}` ended with {code}: {error.Trim()}");
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Code, string Output, string Error)> TryAsync(params string[] command)
    {
        using var process = Process.Start(Of(command))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>How to start a program with all its streams redirected.</summary>
    public static ProcessStartInfo Of(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>How to start one of the programs built with this one.</summary>
    public static string[] Program(string name, params string[] arguments) =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, name + ".dll"), .. arguments];
}
