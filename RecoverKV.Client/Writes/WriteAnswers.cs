using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Writes;

/// <summary>What the answers of nodes do to open writes (R9).</summary>
internal sealed partial class WritePipeline
{
    // What keeps the store from taking writes, as the sequencer said last.
    private string? _whyRefused;

    /// <summary>Answers came. A view that came with them has been offered to the map already.</summary>
    internal void Receive(WriteReplies replies, NodeRoute? from)
    {
        var ended = new List<(PendingWrite Write, WriteAnswer Answer)>(replies.Answers.Count);
        bool rush;
        lock (_gate)
        {
            var now = _clock();
            bool busy = false, silent = false, redirected = false;
            foreach (var answer in replies.Answers)
            {
                if (Find(answer) is not { } write) continue;
                _flights.Land(write.Flight);
                // A node's word about an older copy does not tell where the newer one is.
                var older = from is not null && from != write.SentTo;
                switch (answer.Status)
                {
                    case WriteStatus.Busy or WriteStatus.OtherStore:
                        write.NotTaken();
                        _whyRefused = answer.Text;
                        if (older) break;
                        busy = true;
                        SendAgain(write);
                        break;
                    case WriteStatus.Full when write != _opening:
                        write.NotTaken();
                        if (older) break;
                        if (!write.MaybeTaken)
                        {
                            Release(write);
                            ended.Add((write, answer));
                            break;
                        }

                        // An older copy may have been taken when there was room.
                        (_whyRefused, busy) = (answer.Text, true);
                        SendAgain(write);
                        break;
                    case WriteStatus.NotSequencer:
                        write.LostSight();
                        if (older) break;
                        if (_map.Table?.Sequencer is { } sequencer && sequencer != write.SentTo) redirected = true;
                        else silent = true;
                        SendAgain(write);
                        break;
                    case WriteStatus.SessionUnknown when write != _opening:
                        SessionLost(write);
                        break;
                    default:
                        if (write.UnderWay) _window.Answered(write.Bytes, write.SentAt, now);
                        if (write == _opening) busy |= !Opened(answer);
                        else Release(write);
                        ended.Add((write, answer));
                        break;
                }
            }

            if (ended.Count > 0) (_refusals, _whyRefused) = (0, null);
            if (busy || silent || redirected) Refused(atOnce: !busy && !silent);
            if (silent) _map.WantView();
            rush = _rush.Expect(ended.Count);
        }

        foreach (var (write, answer) in ended) End(write, answer);
        if (rush) _rush.Begin();
        Send();
    }

    /// <summary>The answer names the request; a late or repeated answer finds none.</summary>
    private PendingWrite? Find(WriteAnswer answer)
    {
        if (answer.Session == 0) return _opening?.Number == answer.Number ? _opening : null;
        return _sessions.TryGetValue(answer.Session, out var session) ? session.Find(answer.Number) : null;
    }

    /// <summary>The first redirection is followed at once; whatever repeats itself slows down.</summary>
    private void Refused(bool atOnce)
    {
        if (++_refusals == 1 && atOnce) return;
        _pauseUntil = _clock() + Timing.BackoffAfter(_refusals, _random);
    }

    /// <summary>False if it must be tried again.</summary>
    private bool Opened(WriteAnswer answer)
    {
        _opening = null;
        if (answer.Status == WriteStatus.Invalid)
        {
            // Nothing can be written; say it rather than ask for ever.
            while (_waiting.Take() is { } write)
                write.Fail(new NotDoneException($"The write was not done: no session could be opened. {answer.Text}"));
            return true;
        }

        if (answer.Status != WriteStatus.Done || answer.Uid <= 0) return false;
        _session = new SessionWindow { Id = answer.Uid };
        _sessions[answer.Uid] = _session;
        return true;
    }

    private static void End(PendingWrite write, WriteAnswer answer)
    {
        switch (answer.Status)
        {
            case WriteStatus.Done or WriteStatus.ConditionFailed:
                write.End(new WriteResult(
                    answer.Status == WriteStatus.Done, answer.Uid,
                    Detach.All(answer.Previous), answer.PreviousOmitted));
                break;
            case WriteStatus.Full:
                write.Fail(new StoreFullException($"The write was not done: {answer.Text ?? "the store is full"}."));
                break;
            case WriteStatus.Invalid:
                write.Fail(new InvalidRequestException(answer.Text ?? "The request breaks a limit of the store."));
                break;
            default:
                write.Fail(new OutcomeUnknownException(
                    "It is unknown whether the write was done: its answer is gone."));
                break;
        }
    }

    /// <summary>
    /// The session was evicted. A write of which just one copy was sent was not executed, and goes on under a new
    /// session; of two copies one may have been executed before the eviction.
    /// </summary>
    private void SessionLost(PendingWrite write)
    {
        if (write.Session == _session) _session = null;
        if (write.CanMove)
        {
            BackToWaiting(write);
            return;
        }

        Release(write);
        write.Fail(new OutcomeUnknownException(
            "It is unknown whether the write was done: the cluster forgot the session while it was sent again."));
    }
}
