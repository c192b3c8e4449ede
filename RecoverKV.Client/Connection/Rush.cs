namespace RecoverKV.Client.Connection;

/// <summary>
/// Callers that were answered together come back with their next calls one after the other, within microseconds. The
/// first of them would depart alone and the others wait for its answer. So sending is put off until as many calls have
/// come as were answered, or no more come: that is looked after behind the work that already waits for the thread
/// pool, by no clock.
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

    /// <summary>Whether calls that come now are sent later, together. Under the lock.</summary>
    internal bool Holds => _expected > 0 && waiting() < _expected;

    /// <summary>So many calls are about to be answered: if more than one, what comes is held. Under the lock.</summary>
    /// <returns>Whether <see cref="Begin"/> must follow, once they are answered.</returns>
    internal bool Expect(int calls)
    {
        if (calls <= 1) return false;
        var begun = _expected > 0;
        _expected = waiting() + calls;
        _seen = -1;
        return !begun;
    }

    /// <summary>The calls are answered; from now on it is looked who comes back, and in the end all are sent.</summary>
    internal void Begin() => later(this);

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
