namespace RecoverKV.Actors.Protocol;

// R1 Promise: who may become sequencer. A member grants an epoch once, and not while it may have helped a lease.
public sealed partial class ReplicaCore
{
    // When this replica last acknowledged a heartbeat of the accepted view (its own rounds included), or started.
    private TimeSpan _lastHeartbeat;
    private TimeSpan _electionAt;

    // A higher epoch that somebody promised: a campaign must go above it.
    private Epoch _highestSeen;

    private bool MayPromise(MemberId candidate, Epoch epoch, Epoch handover)
    {
        if (epoch <= _promised.Epoch) return false;
        // A replica that lost its data knows its store, and makes no new one with others that know none (R12).
        if (_view.Epoch == Epoch.Zero) return Cluster == Guid.Empty || _senderCluster == Cluster;
        if (candidate == _self && LeadsOn) return true;
        var isSequencer = candidate.Node == _view.Sequencer && _view.HasMember(candidate) && candidate != _self;
        if (isSequencer || handover == _view.Epoch) return true;
        if (Mutated(Mutations.PromiseUnderLease) && _leading == null) return true;
        return _leading == null && _now - _lastHeartbeat >= Lease;
    }

    private void OnCanvass(MemberId from, Canvass message)
    {
        // A replica without a view, where there is one, lost its disk: it must not take elections away from members
        // (R11).
        var belongs = message.View > Epoch.Zero || _view.Epoch == Epoch.Zero;
        var can = _diskTrouble == null && !BeginsNoStore(message.View);
        var would = belongs && can && MayPromise(from, message.Epoch, message.Handover);
        Send(from.Node, new CanvassReply(message.Epoch, would, _promised.Epoch));
    }

    private void OnRequestPromise(MemberId from, RequestPromise message)
    {
        if (message.Epoch == _promised.Epoch)
        {
            if (_promised.Candidate == from.Node && _view.Epoch < message.Epoch)
                AnswerPromise(from.Node, message.Epoch);
            return;
        }

        if (!MayPromise(from, message.Epoch, message.Handover)) return;
        if (from != _self) StepDown();
        EndLease();
        _synchronization = null;
        _promised = new Promised(message.Epoch, from.Node);
        ResetElectionTimer();
        if (!Mutated(Mutations.VotesForgotten)) Journal(_promised);
        AnswerPromise(from.Node, message.Epoch);
    }

    private void AnswerPromise(NodeId candidate, Epoch epoch) => WhenDurable(() =>
    {
        if (_promised.Epoch != epoch || _view.Epoch >= epoch) return;
        Send(candidate, new Promise(epoch, _view, AcknowledgedUid, _knownCommitted));
    });

    private void OnRefuse(MemberId from, Refuse message)
    {
        _highestSeen = Epoch.Max(_highestSeen, message.Promised);
        if (_leading != null && message.Epoch == _view.Epoch && message.Promised == message.Epoch)
            NoteOtherHistory(from, message.Epoch);
        if (_campaign != null && message.Epoch == _campaign.Epoch && message.Promised > _campaign.Epoch)
        {
            // Who leads on needs only a majority, and its canvass found one.
            if (_campaign.Former == null) GiveUp($"{from} has promised epoch {message.Promised}");
        }
        else if (_leading != null && message.Epoch == _view.Epoch && message.Promised > _view.Epoch
            && _now >= _leading.OpensAt && _leavingSince == null)
        {
            // A member came back with a higher epoch: lead again above it.
            StartCanvass(Epoch.Zero, wanted: [.. _view.InSync]);
        }
    }

    private void ResetElectionTimer()
    {
        var nodes = _options.Nodes;
        var distance = Array.IndexOf(nodes, _self.Node) - Array.IndexOf(nodes, _view.Sequencer) - 1;
        var rank = (distance + 2 * nodes.Length) % nodes.Length;
        // Before the first view only a campaign that is under way is worth waiting for.
        var wait = _view.Epoch > Epoch.Zero ? Lease
            : _promised.Epoch > Epoch.Zero ? _options.CampaignTimeout : TimeSpan.Zero;
        _electionAt = _now + wait + rank * _options.ElectionRankDelay + Jitter(_options.ElectionJitter);
    }

    // Only an in-sync member stands, so that the sequencer always sits beside a full replica; before the first view
    // anybody does.
    private void ElectionTick()
    {
        if (_leading != null || _campaign != null || _canvassing != null || _leavingSince != null) return;
        if (_now < _electionAt) return;
        if (_view.Epoch > Epoch.Zero && !_view.IsInSync(_self)) return;
        if (_view.Epoch > Epoch.Zero ? _now - _lastHeartbeat < Lease : BeginsNoStore(Epoch.Zero)) return;
        StartCanvass(Epoch.Zero, wanted: null);
    }
}
