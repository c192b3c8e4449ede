namespace RecoverKV.Actors.Protocol;

// R8: leading a view, changing its in-sync set by the next view, and leaving it.
public sealed partial class ReplicaCore
{
    private TimeSpan? _leavingSince;
    private bool _left;

    private void Activate(Campaign campaign)
    {
        _campaign = null;
        var leading = new Leading
        {
            View = _view,
            ActiveAt = _now,
            OpensAt = OpensAt(campaign),
            NextUid = _view.FirstUid,
            QuorumAt = _now,
        };
        foreach (var member in _view.Members.Where(_view.IsInSync))
        {
            leading.Followers.Add(member, new Follower(member)
            {
                Contiguous = _view.FirstUid.Previous,
                Highest = _view.FirstUid.Previous,
                HeardAt = _now,
                ProgressAt = _now,
            });
        }

        _leading = leading;
        NoteJoins(campaign);
        NoteDropped(campaign);
        Notice($"{_self} leads {_view}");

        // Requests whose entries the view dropped were never committed: they get new uids. The others are under way.
        var kept = new HashSet<(long, long)>();
        for (var uid = _state.Applied.Next; uid < _view.FirstUid; uid = uid.Next)
        {
            var request = _log[uid].Request;
            kept.Add((request.Session, request.Number));
            AddWaiter(null, request);
        }

        foreach (var (request, waiter) in _waiters)
        {
            if (kept.Contains(request)) continue;
            if (waiter.Caller == null) RemoveWaiter(waiter.Request);
            else Enqueue(leading, waiter.Request);
        }

        AdvanceCommitted(leading);
        SendHeartbeats(leading);
        Number(leading);
    }

    // When the last lease must have ended that a dropped member may hold. Who promised this epoch holds none. An
    // election after a lease time of silence has nothing to wait for.
    private TimeSpan OpensAt(Campaign campaign)
    {
        // What the tenure before had to wait for may still run.
        var opens = Later(_now, campaign.Former?.OpensAt ?? _now);
        if (campaign.Former is { } former)
        {
            foreach (var follower in former.Followers.Values)
            {
                if (!former.View.IsInSync(follower.Member) || campaign.Promises.ContainsKey(follower.Member)) continue;
                if (follower is { Left: false, GrantedAt: { } granted })
                    opens = Later(opens, granted + LeaseOf(former.View));
            }
        }
        else if (campaign.Handover > Epoch.Zero)
        {
            // Only the former sequencer knows what it granted.
            var all = campaign.Base!.Members.Where(campaign.Base.IsInSync).All(campaign.Promises.ContainsKey);
            if (!all) opens = _now + LeaseOf(campaign.Base!);
        }

        return opens;
    }

    // When a replica that was wanted and did not get into the view may be tried again: each try interrupts service.
    private readonly Dictionary<NodeId, (TimeSpan RetryAt, TimeSpan Pause)> _joins = [];
    private static readonly TimeSpan FirstJoinPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestJoinPause = TimeSpan.FromSeconds(30);

    private void NoteJoins(Campaign campaign)
    {
        foreach (var node in campaign.Wanted ?? [])
        {
            if (_view.InSync.Contains(node))
            {
                _joins.Remove(node);
                continue;
            }

            var pause = _joins.TryGetValue(node, out var join) ? join.Pause * 2 : FirstJoinPause;
            if (pause > LongestJoinPause) pause = LongestJoinPause;
            _joins[node] = (_now + pause, pause);
        }
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private void LeadingTick(Leading leading)
    {
        // With a disk that takes nothing it could not be elected again, nor vote, for want of a promise on disk.
        if (_now - leading.QuorumAt > 2 * Lease && _diskTrouble == null)
        {
            Notice($"{_self} no longer reaches a majority and steps down");
            StepDown();
            ResetElectionTimer();
            return;
        }

        if (IsStalled(leading.Followers[_self]) && OthersCanGoOn(leading))
        {
            Notice($"{_self} steps down: its disk does not answer");
            StepDown();
            ResetElectionTimer();
            return;
        }

        if (_now - leading.RoundAt >= _options.HeartbeatInterval) SendHeartbeats(leading);
        AdvanceCommitted(leading);
        RefuseWhatWaits(leading);
        foreach (var follower in leading.Followers.Values)
            if (follower.Member != _self && _view.IsInSync(follower.Member)) Resend(leading, follower);
        ConsiderNextSet(leading);
        ConsiderMakingWay(leading);
    }

    // The present set less the silent and the slow members plus the replicas that have caught up, if that is a
    // majority; it is made up with slow ones if need be.
    private void ConsiderNextSet(Leading leading)
    {
        if (_canvassing != null || _now < leading.OpensAt || _leavingSince != null) return;
        var wanted = new HashSet<NodeId>();
        var spare = new List<Follower>();
        var changes = false;
        foreach (var follower in leading.Followers.Values)
        {
            var inSync = _view.IsInSync(follower.Member);
            var wants = inSync ? !IsSilent(follower) : HasCaughtUp(leading, follower);
            if (wants && follower.Member != _self && (inSync ? IsSlow(follower) : IsDoubted(follower)))
            {
                spare.Add(follower);
                continue;
            }

            if (wants) wanted.Add(follower.Member.Node);
            changes |= wants != inSync;
        }

        foreach (var follower in spare.OrderBy(f => f.Lateness.Percent))
        {
            var isNeeded = wanted.Count < _view.Majority && wanted.Add(follower.Member.Node);
            changes |= isNeeded != _view.IsInSync(follower.Member);
        }

        if (changes && IsMajority(wanted.Count, _view.Majority)) StartCanvass(Epoch.Zero, [.. wanted]);
    }

    private bool IsSilent(Follower follower) =>
        follower.Member != _self
        && (follower.Left || _now - follower.HeardAt > _options.SilenceLimit || IsStalled(follower));

    // It answers, but its disk takes nothing: nothing would commit for as long. Of its own disk a sequencer knows
    // earlier.
    private bool IsStalled(Follower follower) =>
        follower.Contiguous < _leading!.NextUid.Previous
        && _now - follower.ProgressAt
            > (follower.Member == _self && _diskTrouble != null ? 1 : StallFactor) * _options.SilenceLimit;

    private const int StallFactor = 5;

    // Its gaps are closed and its tail follows, but for what may be on its way. What only the state has is not: a try
    // without it would be in vain, and put off the next.
    private bool HasCaughtUp(Leading leading, Follower follower) =>
        _now - follower.HeardAt <= _options.SilenceLimit / 2
        && _now - leading.ActiveAt > _options.HeartbeatInterval
        && follower.Contiguous + ((long)_options.BatchRequests * _options.BatchesInFlight) >= _knownCommitted
        && follower.Contiguous >= _log.Compacted
        && follower is { Left: false, CutOff: false }
        && (!_joins.TryGetValue(follower.Member.Node, out var join) || _now >= join.RetryAt);

    // Ends leading or campaigning. Whoever waits is sent to the next sequencer, where a retry is safe (R9).
    private void StepDown()
    {
        if (_leading == null && _campaign == null) return;
        _leading = null;
        _campaign = null;
        _canvassing = null;
        foreach (var waiter in _waiters.Values)
        {
            Count(waiter.Caller, waiter.Request, -1);
            if (waiter.Caller is { } caller)
                AnswerWrite(caller, waiter.Request, Client.Contracts.WriteStatus.NotSequencer);
        }

        _waiters.Clear();
        _waiterBytes = _waiterRoom = 0;
    }

    /// <summary>
    /// R8: leaves in good order: a sequencer hands over, a member gives its lease back and waits until a view without
    /// it is made. <see cref="Effect.Left"/> follows in any case, at the latest after a few lease times.
    /// </summary>
    public void Leave(TimeSpan now)
    {
        if (_stopped) return;
        _now = now;
        if (_leavingSince == null)
        {
            _leavingSince = now;
            EndLease();
            LeaveTick();
        }

        Settle();
    }

    private void LeaveTick()
    {
        if (_leavingSince is not { } since || _left) return;
        if (_options.Nodes.Length == 1 || !_view.IsInSync(_self) || _lost != null || _now - since > 2 * Lease)
        {
            StepDown();
            _left = true;
            Effects.Add(new Effect.Left());
        }
        else if (_now - _leavingSaidAt > _options.ResendInterval)
        {
            _leavingSaidAt = _now;
            if (_leading != null) HandOver(_leading, slow: false);
            else if (_campaign == null && _view.Epoch == _promised.Epoch)
                Send(_view.Sequencer, new Leaving(_view.Epoch, _options.Run));
        }
    }

    // To the in-sync member that has most. Not while leases must run out that only this tenure knows of.
    private bool HandOver(Leading leading, bool slow)
    {
        var successor = leading.Followers.Values
            .Where(f => f.Member != _self && _view.IsInSync(f.Member) && !IsSilent(f) && (!slow || IsWell(f)))
            .MaxBy(f => f.Contiguous);
        if (successor == null || _now < leading.OpensAt) return false;
        Send(successor.Member.Node, new Handover(_view.Epoch, slow));
        return true;
    }

    private TimeSpan _leavingSaidAt = Never;

    private void OnHandover(MemberId from, Handover message)
    {
        if (message.Epoch != _view.Epoch || from.Node != _view.Sequencer || !_view.IsInSync(_self)) return;
        if (_leavingSince != null || _leading != null) return;
        if (message.Slow && _canvassing == null && _campaign == null) PutInDoubt(from.Node, run: 0, slow: true);
        StartCanvass(message.Epoch, wanted: [.. _view.InSync.Where(n => n != from.Node)]);
    }

    private void OnLeaving(MemberId from, Leaving message)
    {
        if (_leading == null || message.Epoch != _view.Epoch) return;
        if (!_leading.Followers.TryGetValue(from, out var follower)) return;
        // A late copy must not cancel the wait for the lease of a run that came after it.
        // Of one that has acknowledged nothing in this tenure no run was granted anything; the next word of another
        // undoes it.
        if (follower.Run != message.Run && follower.Run != 0) return;
        follower.Left = true;
        follower.GrantedAt = null;
        ConsiderNextSet(_leading);
    }
}
