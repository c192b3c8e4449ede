using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Reads;

/// <summary>A read without an answer.</summary>
internal abstract class PendingRead(IReadOnlyList<Key> keys, ReadConsistency consistency, long deadline)
{
    internal long Id { get; set; }

    internal IReadOnlyList<Key> Keys { get; } = keys;

    internal int Bytes { get; } = SizeOf(keys);

    internal ReadConsistency Consistency { get; } = consistency;

    internal long Deadline { get; } = deadline;

    /// <summary>Where it waits or was sent; null while it is new or pauses.</summary>
    internal ReadLane? Lane { get; set; }

    /// <summary>When it was sent on its lane; 0 while it was not.</summary>
    internal long SentAt { get; set; }

    /// <summary>The bytes that its answer was taken to have when it was sent.</summary>
    internal int Expected { get; set; }

    internal Flight? Flight { get; set; }

    /// <summary>How often a node failed to answer it.</summary>
    internal int Failures { get; set; }

    /// <summary>When its pause ends; the end of time while it does not pause.</summary>
    internal long PausedUntil { get; set; } = long.MaxValue;

    internal abstract bool HasEnded { get; }

    internal abstract void End(ReadAnswer answer);

    internal abstract void Fail(RecoverKvException failure);

    private static int SizeOf(IReadOnlyList<Key> keys)
    {
        var size = 16;
        for (var i = 0; i < keys.Count; i++) size += keys[i].Length + 8;
        return size;
    }
}

/// <summary>A read with a result of type <typeparamref name="T"/>.</summary>
internal sealed class PendingRead<T>(
    IReadOnlyList<Key> keys, ReadConsistency consistency, long deadline, Func<ReadAnswer, T> result)
    : PendingRead(keys, consistency, deadline)
{
    private readonly TaskCompletionSource<T> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;

    internal Task<T> Task => _end.Task;

    internal override bool HasEnded => _end.Task.IsCompleted;

    /// <summary>Before any other thread knows of it, as <see cref="Writes.PendingWrite.CancelWith"/>.</summary>
    internal void CancelWith(CancellationToken cancellation)
    {
        if (cancellation.CanBeCanceled)
        {
            _registration = cancellation.UnsafeRegister(
                static (read, token) => ((PendingRead<T>)read!)._end.TrySetCanceled(token), this);
        }
    }

    internal override void End(ReadAnswer answer)
    {
        _registration.Unregister();
        _end.TrySetResult(result(answer));
    }

    internal override void Fail(RecoverKvException failure)
    {
        _registration.Unregister();
        _end.TrySetException(failure);
    }
}
