namespace RecoverKV.Actors.Protocol;

// R5, leases: the right to answer linearizable reads until an instant of one's own clock.
public sealed partial class ReplicaCore
{
    // The part of the lease time that a reader may use; the rest covers clocks that run at different rates.
    private const double UsablePart = 0.9;

    // Of heartbeat rounds too: without a majority none is echoed, for as long as a tenure then lasts.
    private const int MostReadings = 256;

    private TimeSpan? _leaseUntil;

    // That of the accepted view, whatever this node's configuration says: all members go by one, also while it is being
    // changed from node to node.
    private TimeSpan Lease => LeaseOf(_view);

    private TimeSpan LeaseOf(View view) =>
        view.Lease > TimeSpan.Zero && !Mutated(Mutations.LeaseOfEachNode) ? view.Lease : _options.Lease;

    /// <summary>A round of heartbeats: who acknowledged it, and when it began.</summary>
    private sealed class HeartbeatRound(TimeSpan startedAt)
    {
        public TimeSpan StartedAt { get; } = startedAt;
        public HashSet<MemberId> Acknowledged { get; } = [];
    }

    // How fresh the applied state is: it has everything that was committed at _freshAt, by this replica's clock; the
    // other is the next such instant, once the uid is applied.
    private TimeSpan? _freshAt;
    private (TimeSpan At, Uid Committed)? _freshWhenApplied;

    private void UpdateFreshness()
    {
        if (_freshWhenApplied is not { } fresh || fresh.Committed > _state.Applied) return;
        if (_freshAt == null || fresh.At > _freshAt) _freshAt = fresh.At;
        _freshWhenApplied = null;
    }

    private bool HasLease(TimeSpan now) =>
        _promised.Epoch == _view.Epoch && _view.IsInSync(_self) && _leavingSince == null
        && _state.Applied == _knownCommitted && !_stopped
        && (_leaseUntil is { } until && now < until || Mutated(Mutations.NoLeaseCheck));

    private void EndLease()
    {
        _leaseUntil = null;
        RefuseBlockedReads();
    }

    private void SendHeartbeats(Leading leading)
    {
        leading.Round++;
        leading.RoundAt = _now;
        leading.Rounds.Add(leading.Round, new HeartbeatRound(_now));
        leading.Rounds.Remove(leading.Round - MostReadings);
        var slice = MarkOwn(leading);
        foreach (var node in _options.Nodes)
        {
            if (node == _self.Node) continue;
            var follower = leading.Followers.Values.LastOrDefault(f => f.Member.Node == node);
            Send(node, new Heartbeat(
                _view.Epoch, leading.Round, _knownCommitted,
                follower?.EchoRun ?? 0, follower?.EchoClock ?? TimeSpan.Zero, leading.Agreed, slice));
        }

        // The sequencer acknowledges its own round like any member.
        _lastHeartbeat = _now;
        var self = leading.Followers[_self];
        TakeEcho(self.EchoRun, self.EchoClock, _knownCommitted);
        OnHeartbeatAck(_self, new HeartbeatAck(
            _view.Epoch, leading.Round, _options.Run, _now, AcknowledgedUid, _log.Durable.Highest));
    }

    private void OnHeartbeat(Heartbeat message)
    {
        if (_leavingSince != null || !IsViewDurable) return;
        CheckOwnTail(message.Committed);
        CheckOwnData(message.Agreed);
        if (_lost != null) return;
        _lastHeartbeat = _now;
        if (_canvassing != null && _canvassing.Handover == Epoch.Zero) _canvassing = null;
        ResetElectionTimer();
        TakeEcho(message.LeaseRun, message.LeaseFrom, message.Committed);
        MarkAt(message.Committed, message.Round, message.Slice);
        LearnCommitted(message.Committed);
        Send(_view.Sequencer, new HeartbeatAck(
            message.Epoch, message.Round, _options.Run, _now, AcknowledgedUid, _log.Durable.Highest, IsCutOff,
            _ownTicks.Percent, Lacks, MarkFor(message.Epoch)));
        Heal();
    }

    // At the echoed instant of this replica's clock the sequencer had the authority of a majority, and nothing beyond
    // the committed uid that comes with it was committed.
    private void TakeEcho(long run, TimeSpan clock, Uid committed)
    {
        if (run != _options.Run) return;
        // Before a new sequencer commits its predecessor's last uids it does not know which of them were.
        if (committed >= _view.FirstUid.Previous) _freshWhenApplied ??= (clock, committed);
        UpdateFreshness();
        if (!_view.IsInSync(_self)) return;
        if (Mutated(Mutations.LeaseFromArrival)) clock = _now;
        var until = clock + Lease * UsablePart;
        if (_leaseUntil == null || until > _leaseUntil) _leaseUntil = until;
    }

    // A run acknowledges no round that began after its end, and a member's runs follow each other: who acknowledges a
    // later round than any before is the present one. Late copies of an earlier run move nothing back.
    private bool IsOfPresentRun(Follower follower, HeartbeatAck message)
    {
        var later = message.Round > follower.Round || Mutated(Mutations.OlderRunBelieved);
        if (!later && message.Run != follower.Run) return false;
        // A late copy of a heartbeat may be acknowledged by any run: of those that were seen to follow each other none
        // returns.
        if (follower.EarlierRuns.Contains(message.Run) && !Mutated(Mutations.OlderRunBelieved)) return false;
        if (follower.Run != message.Run && follower.Run != 0) follower.EarlierRuns.Add(follower.Run);
        follower.Round = Math.Max(follower.Round, message.Round);
        // Another run than the one that left: it is back.
        if (follower.Run != message.Run) follower.Left = false;
        follower.Run = message.Run;
        return true;
    }

    private void OnHeartbeatAck(MemberId from, HeartbeatAck message)
    {
        if (_leading is not { } leading || message.Epoch != _view.Epoch) return;
        Acknowledged(leading, from, message.Contiguous, message.Highest);
        if (SeemsToHaveLostItsTail(leading, from, message.Contiguous)) return;
        var follower = leading.Followers[from];
        if (!IsOfPresentRun(follower, message)) return;
        follower.CutOff = message.CutOff;
        follower.TicksLate = message.TicksLate;
        follower.Lacks = message.Lacks;
        Compare(leading, from, message.Mark);
        if (_leading != leading) return;
        if (follower.Left) return;
        follower.Readings.Enqueue((message.Run, message.Clock, _now));
        if (follower.Readings.Count > MostReadings) follower.Readings.Dequeue();
        if (!leading.Rounds.TryGetValue(message.Round, out var round)) return;
        if (!_view.HasMember(from) || !round.Acknowledged.Add(from)) return;
        if (round.Acknowledged.Count < _view.Majority) return;

        // A majority promises nothing to others for a lease time from the begin of this round on: readings that were
        // received before it may be echoed.
        leading.QuorumAt = _now;
        var first = false;
        foreach (var member in leading.Followers.Values)
        {
            while (member.Readings.TryPeek(out var reading) && reading.ReceivedAt <= round.StartedAt)
            {
                member.Readings.Dequeue();
                first |= member.GrantedAt == null;
                (member.EchoRun, member.EchoClock, member.GrantedAt) = (reading.Run, reading.Clock, reading.ReceivedAt);
            }
        }

        foreach (var old in leading.Rounds.Keys.Where(r => r <= message.Round).ToArray()) leading.Rounds.Remove(old);
        // The first leases of a view should not wait for the next beat.
        if (first) leading.RoundAt = _now - _options.HeartbeatInterval;
    }
}
