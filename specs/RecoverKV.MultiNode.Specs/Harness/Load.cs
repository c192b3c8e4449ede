using System.Text;
using RecoverKV.Client;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>Writers that go on through whatever happens. Each of their writes must be acknowledged in the
/// end.</summary>
internal sealed class Load : IAsyncDisposable
{
    private static int s_loads;
    private readonly TestCluster _cluster;
    private readonly Task _writers;
    private volatile bool _stopped;

    private Load(TestCluster cluster, int writers)
    {
        _cluster = cluster;
        var name = $"load{Interlocked.Increment(ref s_loads)}";
        _writers = Task.WhenAll(Enumerable.Range(0, writers).Select(i => WriteAsync($"{name} {i}")));
    }

    public static Load Start(TestCluster cluster, int writers = 8) => new(cluster, writers);

    /// <summary>Writes as many keys as given, and waits for all.</summary>
    public static async Task WriteAsync(TestCluster cluster, string name, int count, int valueLength = 20)
    {
        var session = await TestSession.OpenAsync(cluster);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (i, _) => await session.PutAsync(new Key($"{name} {i}"), Value(i, valueLength)));
    }

    /// <summary>Waits until so many more writes were acknowledged.</summary>
    public async Task ProceedAsync(int writes)
    {
        var goal = _cluster.Ledger.Acknowledged + writes;
        await _cluster.WaitUntilAsync(
            $"{writes} more writes are acknowledged", _ => _writers.IsFaulted || _cluster.Ledger.Acknowledged >= goal);
        if (_writers.IsFaulted) await _writers;
    }

    /// <summary>Lets the writers end what they began; fails if one of them failed.</summary>
    public async Task StopAsync()
    {
        _stopped = true;
        await _writers;
    }

    /// <summary>Of a spec that failed: its own failure is the one that counts.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopped = true;
        await _writers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync(string name)
    {
        var session = await TestSession.OpenAsync(_cluster);
        for (var i = 0; !_stopped; i++) await session.PutAsync($"{name} {i}", Value(i, 20));
    }

    private static byte[] Value(int i, int length) => Encoding.UTF8.GetBytes($"value of {i}".PadRight(length));
}
