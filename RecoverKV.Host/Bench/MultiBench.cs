using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using RecoverKV.Client;

namespace RecoverKV.Host.Bench;

/// <summary>Puts and then gets by several callers at once. A value names its key and this run, so that a read that
/// gives anything else than what was acknowledged is noticed.</summary>
internal sealed class MultiBench(RecoverKvClient client, int callers, int count, int valueSize)
{
    private readonly long _run = Stopwatch.GetTimestamp();
    private readonly bool[] _acknowledged = new bool[count];
    private long _wrong;
    private long _failed;
    private string? _firstFailure;

    /// <summary>Runs it, prints the figures, and returns the exit code: 1 if a read gave a wrong value.</summary>
    public async Task<int> RunAsync(Terminal terminal, CancellationToken cancellation)
    {
        var puts = await MeasureAsync(async i =>
        {
            await client.PutAsync(KeyOf(i), ValueOf(i), cancellation);
            _acknowledged[i] = true;
        });
        terminal.Out.WriteLine(Describe("puts", puts));
        var gets = await MeasureAsync(async i =>
        {
            var found = await client.GetAsync(KeyOf(i), cancellationToken: cancellation);
            if (!_acknowledged[i]) return;
            if (found.Version is not { } version || !version.Value.Span.SequenceEqual(ValueOf(i)))
                Interlocked.Increment(ref _wrong);
        });
        terminal.Out.WriteLine(Describe("gets", gets));
        var acknowledged = _acknowledged.Count(a => a);
        terminal.Out.WriteLine(
            $"acknowledged {acknowledged}, of these wrong or missing {_wrong}, failed calls {_failed}");
        if (_firstFailure is { } failure) terminal.Error.WriteLine($"recoverkv: the first failure: {failure}");
        return _wrong > 0 ? ExitCode.Negative : _failed > 0 ? ExitCode.NotDone : ExitCode.Done;
    }

    private static Key KeyOf(int index) => new(string.Create(CultureInfo.InvariantCulture, $"bench/{index:D10}"));

    private byte[] ValueOf(int index)
    {
        var value = new byte[valueSize];
        value.AsSpan().Fill((byte)'.');
        Utf8Formatter.TryFormat(_run ^ ((long)index << 20), value, out _, new System.Buffers.StandardFormat('X', 16));
        return value;
    }

    private async Task<(TimeSpan Elapsed, TimeSpan[] Latencies)> MeasureAsync(Func<int, Task> call)
    {
        var latencies = new TimeSpan[count];
        var next = -1;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(callers, count)).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var began = Stopwatch.GetTimestamp();
                try
                {
                    await call(i);
                }
                catch (RecoverKvException e)
                {
                    Interlocked.Increment(ref _failed);
                    Interlocked.CompareExchange(ref _firstFailure, Failures.Describe(e), null);
                }

                latencies[i] = Stopwatch.GetElapsedTime(began);
            }
        })));
        return (Stopwatch.GetElapsedTime(start), latencies);
    }

    private string Describe(string what, (TimeSpan Elapsed, TimeSpan[] Latencies) measured)
    {
        var sorted = measured.Latencies;
        Array.Sort(sorted);
        var rate = count / measured.Elapsed.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture,
            $"{what}/s {rate:F0}, p50 {Percentile(0.5):F2} ms, p99 {Percentile(0.99):F2} ms, max {Percentile(1):F2} ms");

        double Percentile(double share) => sorted[(int)((sorted.Length - 1) * share)].TotalMilliseconds;
    }
}
