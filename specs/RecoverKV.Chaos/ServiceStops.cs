using RecoverKV.Chaos.Faults;
using RecoverKV.Chaos.History;
using RecoverKV.Simulation.Linearizability;

namespace RecoverKV.Chaos;

/// <summary>How long each fault stopped service: the longest time without a success of any client, from the last one
/// before the fault to when all was well.</summary>
internal static class ServiceStops
{
    /// <summary>Seconds for each fault, in the same order.</summary>
    public static IEnumerable<(FaultRecord Fault, double Writes, double Reads)> Of(
        IReadOnlyList<FaultRecord> faults, IReadOnlyCollection<HistoryEntry> history)
    {
        var done = history.Where(h => h.Outcome != Outcome.Unknown).ToList();
        var writes = done.Where(h => h.Uid != 0).Select(h => h.Return).Order().ToArray();
        var reads = done.Where(h => h.Uid == 0).Select(h => h.Return).Order().ToArray();
        return faults.Select(f => (f, Longest(writes, f), Longest(reads, f)));
    }

    private static double Longest(long[] returns, FaultRecord fault)
    {
        var first = Array.BinarySearch(returns, fault.Injected);
        if (first < 0) first = ~first;
        var previous = first > 0 ? Math.Max(returns[first - 1], fault.Injected) : fault.Injected;
        var longest = 0L;
        for (var i = first; ; i++)
        {
            var now = i < returns.Length ? returns[i] : fault.Well;
            longest = Math.Max(longest, now - previous);
            previous = now;
            // A stop may end a little after all nodes said that they were well.
            if (now >= fault.Well) return longest / 1e9;
        }
    }
}
