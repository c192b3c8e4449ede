namespace RecoverKV.Actors.Protocol;

// R8: members that are slow but not silent. They answer heartbeats in time, and yet every write waits for them: a
// process that runs a fifth of the time, a disk that takes half a second.
public sealed partial class ReplicaCore
{
    // How late this replica's own ticks come: for a process that stands still now and then, whoever leads or follows.
    private readonly Lateness _ownTicks = new();
    private TimeSpan _tickedAt;

    // Members that left the set for what may happen again, by this node's experience as a sequencer. One a node.
    private readonly Dictionary<NodeId, Doubt> _doubts = [];

    private TimeSpan _handOverAt = TimeSpan.MinValue;
    private TimeSpan _handOverPause;

    /// <summary>A member that left the set is taken in again once it was well for the whole pause.</summary>
    private sealed class Doubt
    {
        public required TimeSpan Pause { get; init; }
        public required TimeSpan WellSince { get; set; }

        /// <summary>The run that is in doubt, 0 if not known yet: another one begins anew.</summary>
        public required long Run { get; set; }

        /// <summary>It was well for the whole pause: whatever happens next is a relapse.</summary>
        public bool IsOver { get; set; }
    }

    // What waits for longer is late. A tenth of what is silence, so that it is far above the noise of a busy machine.
    private TimeSpan Patience => Later(_options.SilenceLimit / 10, _options.HeartbeatInterval);

    private TimeSpan SlownessWindow => 10 * Patience;

    private TimeSpan FirstDoubt => 5 * SlownessWindow;

    private TimeSpan LongestDoubt => 60 * SlownessWindow;

    // With every tick, before anything else of it.
    private void MeasureSlowness()
    {
        var passed = _now - _tickedAt;
        _tickedAt = _now;
        var standstill = passed > Patience;
        _ownTicks.Add(passed, standstill ? passed : TimeSpan.Zero, SlownessWindow);
        // While this process stood still nothing was seen: what came meanwhile may still wait to be received.
        if (_leading == null || standstill) return;
        var held = HeldByAMajority(_leading);
        foreach (var follower in _leading.Followers.Values) Measure(follower, held, passed);
        ReviewDoubts(_leading);
    }

    // Every uid up to this one would be committed if the slowest were not asked, as far as a majority remains.
    private Uid HeldByAMajority(Leading leading) => leading.Followers.Values
        .Where(f => _view.IsInSync(f.Member)).Select(f => f.Contiguous).OrderDescending()
        .ElementAtOrDefault(_view.Majority - 1);

    private void Measure(Follower follower, Uid held, TimeSpan passed)
    {
        var waits = follower.Contiguous < held && follower.Contiguous == follower.MeasuredAt;
        follower.MeasuredAt = follower.Contiguous;
        var before = follower.Waits;
        follower.Waits = waits ? before + passed : TimeSpan.Zero;
        // A wait that turns out to be long counts from its begin.
        var late = follower.Waits <= Patience ? TimeSpan.Zero : before > Patience ? passed : follower.Waits;
        follower.Lateness.Add(passed, late, SlownessWindow);
    }

    private bool IsSlow(Follower follower) => follower.Lateness.IsSlow && !Mutated(Mutations.SlowMemberKept);

    // It keeps pace, and says that its own ticks come in time.
    private static bool IsWell(Follower follower) =>
        follower.Lateness.IsWell && follower.TicksLate < Lateness.WellPercent;

    // Not in the set for now, unless a majority needs it.
    private bool IsDoubted(Follower follower) =>
        follower.TicksLate >= Lateness.LatePercent
        || (_doubts.TryGetValue(follower.Member.Node, out var doubt) && _now - doubt.WellSince < doubt.Pause);

    private void ReviewDoubts(Leading leading)
    {
        if (_doubts.Count == 0) return;
        foreach (var follower in leading.Followers.Values)
        {
            if (!_doubts.TryGetValue(follower.Member.Node, out var doubt)) continue;
            if (doubt.Run == 0) doubt.Run = follower.Run;
            var isHeard = _now - follower.HeardAt <= Later(_options.SilenceLimit, 2 * Patience);
            if (!IsWell(follower) || !isHeard) doubt.WellSince = _now;
            doubt.IsOver |= _now - doubt.WellSince >= doubt.Pause;
            if ((follower.Run != doubt.Run && follower.Run != 0) || _now - doubt.WellSince > doubt.Pause + LongestDoubt)
                _doubts.Remove(follower.Member.Node);
        }
    }

    // Who was slow is in doubt at once; who only was not heard, a process that stood still or a cut, from the second
    // time on. With each relapse the pause doubles, so that the share of time in which it may do harm gets smaller.
    private void NoteDropped(Campaign campaign)
    {
        if (campaign.Former is not { } former) return;
        foreach (var follower in former.Followers.Values)
        {
            var node = follower.Member.Node;
            if (follower.Left || !former.View.IsInSync(follower.Member) || _view.InSync.Contains(node)) continue;
            PutInDoubt(node, follower.Run, IsSlow(follower));
            if (IsSlow(follower))
                Notice($"{_self} goes on without {node}, which held up the writes for most of the last seconds; it may "
                    + $"come back after {_doubts[node].Pause.TotalSeconds:0.#} s in which it keeps pace");
        }
    }

    private void PutInDoubt(NodeId node, long run, bool slow)
    {
        var first = slow ? FirstDoubt : TimeSpan.Zero;
        var pause = first;
        if (_doubts.TryGetValue(node, out var known))
            pause = Later(known.IsOver ? Later(2 * known.Pause, SlownessWindow) : known.Pause, first);
        if (pause > LongestDoubt) pause = LongestDoubt;
        _doubts[node] = new Doubt { Pause = pause, WellSince = _now, Run = run };
    }

    // A sequencer that is slow itself makes way, if a member is clearly well. Where all of a machine's nodes are short
    // of time alike none is, and nothing would be better.
    private void ConsiderMakingWay(Leading leading)
    {
        if (!_ownTicks.IsSlow && !IsSlow(leading.Followers[_self])) return;
        if (Mutated(Mutations.SlowMemberKept)) return;
        if (_canvassing != null || _leavingSince != null || _now < _handOverAt) return;
        if (!HandOver(leading, slow: true)) return;
        Notice($"{_self} is slow and hands over");
        var isFirst = _now > _handOverAt + LongestDoubt || _handOverPause == TimeSpan.Zero;
        _handOverPause = isFirst ? FirstDoubt : 2 * _handOverPause;
        if (_handOverPause > LongestDoubt) _handOverPause = LongestDoubt;
        _handOverAt = _now + _handOverPause;
    }
}
