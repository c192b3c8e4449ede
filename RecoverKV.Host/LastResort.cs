using System.Runtime.InteropServices;
using RecoverKV.Actors.Output;

namespace RecoverKV.Host;

/// <summary>What is left when a failure reaches the end of the program, or of a thread: one line and an exit code, as
/// for every other failure, where .NET would print a stack trace and abort.</summary>
internal static class LastResort
{
    /// <summary>Says it; the exit code.</summary>
    public static int End(Exception failure)
    {
        try
        {
            StandardStream.WriteError(Failures.Prefix + Failures.Describe(failure));
            return Failures.CodeOf(failure);
        }
        catch (Exception second) when (second is IOException or TypeLoadException or BadImageFormatException)
        {
            // Where no file can be opened, not even all of this program can be loaded.
            StandardStream.WriteError(Failures.Prefix + Failures.CannotLoad);
            return ExitCode.NotDone;
        }
    }

    /// <summary>For failures that nobody has caught: the process ends as by kill -9, for nothing in it is sure any
    /// more.
    /// </summary>
    public static void Handle(object sender, UnhandledExceptionEventArgs e)
    {
        if (e.ExceptionObject is not Exception failure || !OperatingSystem.IsLinux()) return;
        var code = End(failure);
        Exit(code == ExitCode.Done ? ExitCode.NotDone : code);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int code);
}
