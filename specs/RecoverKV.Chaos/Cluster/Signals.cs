using System.ComponentModel;
using System.Runtime.InteropServices;

namespace RecoverKV.Chaos.Cluster;

/// <summary>Signals to processes that this one started.</summary>
internal static partial class Signals
{
    public const int Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    public static void Send(int pid, int signal)
    {
        const int noSuchProcess = 3;
        if (NativeKill(pid, signal) != 0 && Marshal.GetLastPInvokeError() is var error and not noSuchProcess)
            throw new Win32Exception(error);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int NativeKill(int pid, int signal);
}
