namespace RecoverKV.Host;

/// <summary>
/// Gives memory back. The collector of .NET runs as long as something is allocated; what a rush has left lies there as
/// long as nothing is. While little happens, that is collected here, beside the work.
/// </summary>
internal static class QuietCollector
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // What is allocated since the last time may be garbage by now: so much is worth a look. And so much may be
    // allocated meanwhile for it to be quiet.
    private const long Worth = 48L * 1024 * 1024, Quiet = 24L * 1024 * 1024;

    /// <summary>From now on until the process ends.</summary>
    public static void Start() => _ = RunAsync();

    private static async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        var allocated = GC.GetTotalAllocatedBytes();
        var collected = 0L;
        while (await timer.WaitForNextTickAsync())
        {
            var now = GC.GetTotalAllocatedBytes();
            var isQuiet = now - allocated < Quiet;
            allocated = now;
            if (!isQuiet || now - collected < Worth) continue;
            collected = now;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }
}
