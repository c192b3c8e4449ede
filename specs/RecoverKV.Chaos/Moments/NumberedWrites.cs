using System.Globalization;
using RecoverKV.Chaos.Load;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Moments;

/// <summary>
/// Writes all the time, and remembers what was acknowledged. Each write of a key has a number that is one higher than
/// that of the write before; every eighth is a deletion. Only one caller writes a key, and none again whose write has
/// no known outcome.
/// </summary>
internal sealed class NumberedWrites(RecoverKvClient client, int keys, int seed)
{
    /// <summary>How many write at a time.</summary>
    public const int Callers = 8;

    private const int ValueBytes = 1500, EachDeletion = 8;
    private static readonly TimeSpan Think = TimeSpan.FromMilliseconds(10);

    // Of each key: the number of its last acknowledged write, and of the last one that was called.
    private readonly long[] _done = new long[keys], _called = new long[keys];
    private readonly SemaphoreSlim _turns = new(Callers);
    private long _acknowledged;
    private long _unknown;

    /// <summary>Writes that were acknowledged.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Writes of which nobody knows whether they took effect.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    /// <summary>Every key gets its first value.</summary>
    public async Task LoadAsync()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, keys), new ParallelOptions { MaxDegreeOfParallelism = 4 * Callers },
            async (key, _) => await WriteAsync(key));
        if (_done.Any(d => d == 0)) throw new ChaosException("the first values could not be written");
    }

    /// <summary>Writes until the end.</summary>
    public Task RunAsync(CancellationToken end) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(c => CallAsync(c, new Random(seed * Callers + c), end)));

    /// <summary>Waits until nothing is under way, and nothing is from then on.</summary>
    public async Task PauseAsync()
    {
        for (var i = 0; i < Callers; i++) await _turns.WaitAsync();
    }

    /// <summary>Ends a pause.</summary>
    public void GoOn() => _turns.Release(Callers);

    /// <summary>The numbers of all keys' last acknowledged writes.</summary>
    public long[] Done() => [.. _done.Select((_, k) => Volatile.Read(ref _done[k]))];

    /// <summary>The numbers of all keys' last writes that were called.</summary>
    public long[] Called() => [.. _called.Select((_, k) => Volatile.Read(ref _called[k]))];

    /// <summary>Reads all keys.</summary>
    /// <param name="from">The store.</param>
    /// <param name="least">The numbers that they must have at least.</param>
    /// <param name="most">The numbers that they may have at most.</param>
    /// <returns>What is wrong.</returns>
    public async Task<List<string>> WrongAsync(RecoverKvClient from, long[] least, long[] most)
    {
        var seen = new long[keys];
        var wrong = new List<string>();
        await foreach (var item in from.ScanAsync())
        {
            if (!Words.TryNumber(item.Key.ToString(), out var key) || key >= keys)
                wrong.Add($"nobody wrote the key {item.Key}");
            else seen[key] = Words.Number(item.Version.Value.Span);
        }

        for (var key = 0; key < keys; key++)
        {
            var isRight = seen[key] != 0 ? seen[key] >= least[key] && seen[key] <= most[key] && !IsDeletion(seen[key])
                : Enumerable.Range(0, (int)(most[key] - least[key]) + 1).Any(i => IsDeletion(least[key] + i));
            if (isRight) continue;
            var what = seen[key] == 0 ? "no value" : string.Create(CultureInfo.InvariantCulture, $"value {seen[key]}");
            wrong.Add(string.Create(CultureInfo.InvariantCulture,
                $"key {key} has {what}; acknowledged: {least[key]}, called: {most[key]}"));
        }

        return wrong;
    }

    private static bool IsDeletion(long number) => number % EachDeletion == 0;

    private async Task CallAsync(int caller, Random random, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await _turns.WaitAsync(CancellationToken.None);
            try
            {
                var key = random.Next(keys / Callers) * Callers + caller;
                if (_done[key] == _called[key]) await WriteAsync(key);
            }
            finally
            {
                _turns.Release();
            }

            await Task.Delay(Think, CancellationToken.None);
        }
    }

    private async Task WriteAsync(int key)
    {
        var number = _done[key] + 1;
        Volatile.Write(ref _called[key], number);
        try
        {
            if (IsDeletion(number)) await client.DeleteAsync(Words.Key(key));
            else await client.PutAsync(Words.Key(key), Words.Value(number, ValueBytes));
            Volatile.Write(ref _done[key], number);
            Interlocked.Increment(ref _acknowledged);
        }
        catch (OutcomeUnknownException)
        {
            Interlocked.Increment(ref _unknown);
        }
        catch (NotDoneException)
        {
            Volatile.Write(ref _called[key], number - 1);
        }
    }
}
