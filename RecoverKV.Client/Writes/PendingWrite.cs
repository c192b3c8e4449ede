using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Writes;

/// <summary>A write without an answer, and what is known of its copies.</summary>
/// <param name="operations">What it does; empty for the request that opens a session.</param>
/// <param name="bytes">Its size, roughly.</param>
/// <param name="deadline">When the call ends without an answer.</param>
internal sealed class PendingWrite(IReadOnlyList<WriteOperation> operations, int bytes, long deadline)
    : TaskCompletionSource<WriteResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private CancellationTokenRegistration _registration;
    private bool _copyOut;
    private bool _unsure;

    /// <summary>Its place among the calls of this client.</summary>
    internal long Order { get; set; }

    internal IReadOnlyList<WriteOperation> Operations { get; } = operations;

    /// <summary>Whether the caller wants the versions before the write.</summary>
    internal bool ReturnPrevious { get; init; }

    internal int Bytes { get; } = bytes;

    internal long Deadline { get; } = deadline;

    /// <summary>The session that numbered it; null while it waits for a number.</summary>
    internal SessionWindow? Session { get; set; }

    internal long Number { get; set; }

    /// <summary>Its wire form, made once it has a number.</summary>
    internal WriteRequest? Request { get; set; }

    /// <summary>Whether it stands in the queue of those to be sent again.</summary>
    internal bool Queued { get; set; }

    internal NodeRoute? SentTo { get; private set; }

    internal long SentAt { get; private set; }

    internal int Resends { get; private set; }

    /// <summary>How often connections of that node had broken then.</summary>
    internal int Losses { get; private set; }

    /// <summary>Whether its bytes count as under way.</summary>
    internal bool UnderWay { get; set; }

    internal Flight? Flight { get; private set; }

    /// <summary>Whether some copy may have reached the log, or may still reach it.</summary>
    internal bool MaybeTaken => _copyOut || _unsure;

    /// <summary>Whether there never was a doubt about more than one copy: if the last one was refused for good, no
    /// copy was executed.</summary>
    internal bool CanMove => !_unsure;

    internal void Sent(NodeRoute to, Flight flight, long now)
    {
        // A second copy while the first is out: from now on no single refusal can tell that neither was taken.
        if (_copyOut) _unsure = true;
        if (SentTo is not null) Resends++;
        _copyOut = true;
        SentTo = to;
        SentAt = now;
        Losses = to.Losses;
        Flight = flight;
    }

    /// <summary>The node says that it did not take the copy (Busy, OtherStore).</summary>
    internal void NotTaken()
    {
        if (!_unsure) _copyOut = false;
    }

    /// <summary>The node may have taken the copy and lost sight of it (NotSequencer).</summary>
    internal void LostSight() => _unsure = true;

    /// <summary>R9: no copy of it was or will be executed under its session; it may join another.</summary>
    internal void LeaveSession()
    {
        Session = null;
        Request = null;
        SentTo = null;
        _copyOut = false;
    }

    /// <summary>Ends the wait, not the write. Before any other thread knows of it: an answer could end it unseen
    /// otherwise, and the registration would stay for as long as the token lives.</summary>
    internal void CancelWith(CancellationToken cancellation)
    {
        if (cancellation.CanBeCanceled)
        {
            _registration = cancellation.UnsafeRegister(
                static (write, token) => ((PendingWrite)write!).TrySetCanceled(token), this);
        }
    }

    internal void End(WriteResult result)
    {
        _registration.Unregister();
        TrySetResult(result);
    }

    internal void Fail(RecoverKvException failure)
    {
        _registration.Unregister();
        TrySetException(failure);
    }

    /// <summary>Ends the call without an answer, by what is known of its copies.</summary>
    internal void GiveUp(string reason) => Fail(MaybeTaken
        ? new OutcomeUnknownException($"It is unknown whether the write was done: {reason}")
        : new NotDoneException($"The write was not done: {reason}"));
}
