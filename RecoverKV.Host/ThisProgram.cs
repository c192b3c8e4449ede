using System.Diagnostics;

namespace RecoverKV.Host;

/// <summary>How this program starts itself again as a child.</summary>
internal static class ThisProgram
{
    /// <summary>A start of this program with other arguments, all of its streams redirected.</summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "recoverkv.dll");
        var executable = Environment.ProcessPath;
        // Under `dotnet recoverkv.dll`, and in a test host, the process is another program.
        var self = executable is not null && Path.GetFileNameWithoutExtension(executable) == "recoverkv";
        var start = new ProcessStartInfo(self ? executable! : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!self) start.ArgumentList.Add(assembly);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }
}
