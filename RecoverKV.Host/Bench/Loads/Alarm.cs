using System.Threading.Tasks.Sources;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>What a caller waits on for the start of its next operation, again and again, without garbage.</summary>
internal sealed class Alarm : IValueTaskSource
{
    // The caller goes on at once, on the clock's thread, up to where it waits for the store: waking another thread for
    // each would cost more than the calls themselves, and begin them later.
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <summary>Begins a wait.</summary>
    public ValueTask Set()
    {
        _core.Reset();
        return new ValueTask(this, _core.Version);
    }

    /// <summary>Ends the wait.</summary>
    public void Ring() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
