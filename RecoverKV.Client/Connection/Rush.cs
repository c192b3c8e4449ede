namespace RecoverKV.Client.Connection;

/// <summary>
/// Callers that were answered together come back with their next calls one after the other, within microseconds. The
/// first of them would depart alone and the others wait for its answer. So sending is put off until as many calls have
/// come as were answered, or no more come: that is looked after behind the work that already waits for the thread
/// pool, by no clock. All but <see cref="Execute"/> is called under the lock of the pipeline.
/// </summary>
/// <param name="gate">The lock of the pipeline.</param>
/// <param name="waiting">How many calls wait to be sent.</param>
/// <param name="send">Sends them; called without the lock.</param>
/// <param name="later">Lets the thread pool run it.</param>
internal sealed class Rush(Lock gate, Func<int> waiting, Action send, Action<IThreadPoolWorkItem> later)
    : IThreadPoolWorkItem
{
    private int _expected;
    private int _seen;

    /// <summary>Whether calls that come now are sent later, together.</summary>
    internal bool Holds => _expected > 0 && waiting() < _expected;

    /// <summary>So many calls are about to be answered. The pipeline need not send then: this will.</summary>
    internal void Expect(int calls)
    {
        var scheduled = _expected > 0;
        _expected = waiting() + calls;
        _seen = -1;
        if (!scheduled) later(this);
    }

    /// <inheritdoc/>
    public void Execute()
    {
        lock (gate)
        {
            var now = waiting();
            if (now > _seen && now < _expected)
            {
                _seen = now;
                later(this);
                return;
            }

            _expected = 0;
        }

        send();
    }
}
