using RecoverKV.Client;
using RecoverKV.Host.Records;

namespace RecoverKV.Host.Loading;

/// <summary>How a load ended.</summary>
/// <param name="Loaded">Records that are committed.</param>
/// <param name="Bad">Lines that hold no record, or one that the store does not take.</param>
/// <param name="Failure">Why the load was given up, if it was.</param>
/// <param name="FailedLine">A line that was not stored for that reason.</param>
internal sealed record LoadResult(long Loaded, long Bad, Exception? Failure, long FailedLine);

/// <summary>
/// Puts records into the store, many at a time. Two records of one key are never under way together, so the later
/// line wins, as it would one by one. A bad line is reported and passed over; a put that fails ends the load, after
/// those under way have been answered.
/// </summary>
/// <param name="put">Stores one record.</param>
/// <param name="reportBad">Called for each bad line, from any thread, one call at a time.</param>
internal sealed class Loader(Func<Record, Task> put, Action<long, string> reportBad)
{
    private const int MaxInFlight = 512;
    // More would only wait in the client, and on a thin link longer than a call may last.
    private const long MaxBytesInFlight = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<Key, Task> _underWay = [];
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inFlight;
    private long _bytesInFlight;
    private long _loaded;
    private long _bad;
    private Exception? _failure;
    private long _failedLine;

    /// <summary>How many records are committed by now.</summary>
    public long Loaded => Interlocked.Read(ref _loaded);

    /// <summary>How many lines were bad up to now.</summary>
    public long Bad => Interlocked.Read(ref _bad);

    /// <summary>Loads all records. When <paramref name="interrupt"/> is cancelled it reads no further, and ends when
    /// what is under way has been answered.</summary>
    public async Task<LoadResult> RunAsync(IAsyncEnumerable<InputRecord> records, CancellationToken interrupt)
    {
        try
        {
            await foreach (var record in records.WithCancellation(interrupt))
            {
                if (record.Error is { } error) AddBad(record.Line, error);
                else await StartAsync(record);
                if (Volatile.Read(ref _failure) is not null) break;
            }
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            Fail(0, new CommandFailedException("interrupted"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(0, new CommandFailedException($"the input cannot be read any further: {e.Message}"));
        }
        finally
        {
            await Task.WhenAll(_underWay.Values);
        }

        return new LoadResult(_loaded, _bad, _failure, _failedLine);
    }

    private async Task StartAsync(InputRecord record)
    {
        var size = record.Record.Key.Length + record.Record.Value.Length;
        await WaitForRoomAsync(size);
        if (_underWay.Count >= 4 * MaxInFlight) ForgetCompleted();
        var key = new Key(record.Record.Key);
        if (_underWay.TryGetValue(key, out var earlier)) await earlier;
        _underWay[key] = PutAsync(record, size);
    }

    private async Task WaitForRoomAsync(int size)
    {
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (_inFlight == 0 || (_inFlight < MaxInFlight && _bytesInFlight + size <= MaxBytesInFlight))
                {
                    _inFlight++;
                    _bytesInFlight += size;
                    return;
                }

                if (_room.Task.IsCompleted) _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            await room;
        }
    }

    /// <summary>Never fails: the outcome is in the counters.</summary>
    private async Task PutAsync(InputRecord record, int size)
    {
        try
        {
            await put(record.Record);
            Interlocked.Increment(ref _loaded);
        }
        catch (InvalidRequestException e)
        {
            AddBad(record.Line, e.Message);
        }
        catch (Exception e)
        {
            Fail(record.Line, e);
        }
        finally
        {
            lock (_lock)
            {
                _inFlight--;
                _bytesInFlight -= size;
                _room.TrySetResult();
            }
        }
    }

    private void AddBad(long line, string error)
    {
        lock (_lock)
        {
            _bad++;
            reportBad(line, error);
        }
    }

    private void Fail(long line, Exception failure)
    {
        lock (_lock)
        {
            // An unknown outcome is what the caller must know of, whatever else failed.
            if (_failure is not null && (_failure is OutcomeUnknownException || failure is not OutcomeUnknownException))
                return;
            _failure = failure;
            _failedLine = line;
        }
    }

    private void ForgetCompleted()
    {
        foreach (var (key, task) in _underWay)
        {
            if (task.IsCompleted) _underWay.Remove(key);
        }
    }
}
