using RecoverKV.Client.Network;

namespace RecoverKV.Actors.Network;

/// <summary>Lines about strangers: who connects does not decide how much is logged. Thread-safe.</summary>
/// <param name="log">Told one line in ten seconds at most.</param>
internal sealed class Complaints(Action<string> log)
{
    private const long Between = 10_000;
    private long _last = -Between;

    internal void Add(string line)
    {
        var now = Environment.TickCount64;
        var last = Interlocked.Read(ref _last);
        if (now - last >= Between && Interlocked.CompareExchange(ref _last, now, last) == last)
            log(ForeignText.Clean(line, 500));
    }
}
