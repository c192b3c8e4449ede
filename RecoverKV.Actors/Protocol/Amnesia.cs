namespace RecoverKV.Actors.Protocol;

// R11 Amnesia: a disk that lost what it had vouched for. (A lost data folder shows as a new incarnation: such a
// replica is in no view's members, so neither its promises nor its acknowledgements count until a view takes it in.)
public sealed partial class ReplicaCore
{
    // The disk is not to be trusted: nothing more is promised, acknowledged or answered in its name.
    private bool _stopped;

    // Nor while the journal is known, or said, to have lost its tail: the same, until others can heal it. The folder
    // may be the only one that has some of it; and what one node says is no ground to give it up.
    private string? _lost;
    private (Epoch Epoch, TimeSpan At) _viewAskedFor;
    private readonly HashSet<NodeId> _doWithout = [];

    // What a majority has accepted, each in its own name, is a view that nothing older can commit beside; and its
    // in-sync members have all that is committed.
    private void ReceiveWithoutTail(MemberId from, PeerMessage message)
    {
        // Nor one that was deposed: this replica knows of a later epoch.
        if (message is Heartbeat or InstallView && message.Epoch < _promised.Epoch) return;
        switch (message)
        {
            case Canvass canvass:
                Send(from.Node, new CanvassReply(canvass.Epoch, false, _promised.Epoch));
                break;
            case Heartbeat beat when beat.Epoch > _viewAskedFor.Epoch
                || _now - _viewAskedFor.At >= _options.ResendInterval:
                if (beat.Epoch > _viewAskedFor.Epoch) _doWithout.Clear();
                _viewAskedFor = (beat.Epoch, _now);
                foreach (var node in _options.Nodes)
                    if (node != _self.Node) Send(node, new ViewWanted(beat.Epoch));
                break;
            case InstallView { View: var view }
                when view.Epoch == _viewAskedFor.Epoch && view.IsInSync(from) && !view.IsInSync(_self):
                _doWithout.Add(from.Node);
                if (_doWithout.Count >= view.Majority) StartOver(_lost!);
                break;
        }
    }

    // An in-sync promiser must have everything that any promiser knows to be committed. One that does not may have lost
    // promises and views as well: it is no donor, no voter and no target.
    private void FindAmnesiacs(Campaign campaign, View newest)
    {
        campaign.Amnesiacs.Clear();
        if (Mutated(Mutations.AmnesiaTrusted)) return;
        var vouched = Vouched(campaign);
        foreach (var (member, promise) in campaign.Promises)
            if (newest.IsInSync(member) && promise.Contiguous < vouched) campaign.Amnesiacs.Add(member);
    }

    private static Uid Vouched(Campaign campaign) => campaign.Promises.Values.Select(p => p.Committed).Max();

    private void OnTailLost(TailLost message)
    {
        // Late copies must not wipe a healthy disk, nor the next one: the replica looks for itself.
        if (message.Member != _self || message.Epoch != _promised.Epoch) return;
        if (_log.Durable.Contiguous < message.Vouched)
            DoubtDisk(
                $"the disk has uids up to {_log.Durable.Contiguous}, but {message.Vouched} had been acknowledged");
    }

    // An in-sync member has on disk whatever its view commits: it is told of more only if its disk lost it.
    private void CheckOwnTail(Uid committed)
    {
        if (Mutated(Mutations.AmnesiaTrusted) || !_view.IsInSync(_self) || committed <= _log.Durable.Contiguous) return;
        DoubtDisk($"the disk has uids up to {_log.Durable.Contiguous}, but {committed} are committed");
    }

    // A member of the view that acknowledges less than it once did. (Late messages look the same: it is asked to look
    // for itself.)
    private bool SeemsToHaveLostItsTail(Leading leading, MemberId from, Uid contiguous)
    {
        var vouched = leading.Followers[from].Contiguous;
        if (!_view.IsInSync(from) || contiguous >= vouched || Mutated(Mutations.AmnesiaTrusted)) return false;
        Send(from.Node, new TailLost(_view.Epoch, from, vouched));
        return true;
    }

    // From here on as after a loss that the host knows of.
    private void DoubtDisk(string reason, bool isLoud = false)
    {
        if (_lost != null) return;
        _lost = $"{reason}: it takes no part until a majority shows that it does without this disk";
        if (isLoud) Effects.Add(new Effect.Warning($"{_self}: {_lost}"));
        else Notice($"{_self}: {_lost}");
        StepDown();
        EndLease();
        _synchronization = null;
        ForgetFetches();
    }

    private void StartOver(string reason)
    {
        if (_stopped) return;
        _stopped = true;
        Notice($"{_self} starts over: {reason}");
        StepDown();
        RefuseBlockedReads();
        Effects.Add(new Effect.StartOver(reason));
    }

    // The configured node's current incarnation takes the place of an older one (R11), if the view is to have it.
    private static MemberId[] Members(Campaign campaign, View newest) =>
        [.. newest.Members.Select(old => campaign.Promises.Keys
            .Where(m => m.Node == old.Node && m != old && campaign.Wanted?.Contains(m.Node) == true)
            .DefaultIfEmpty(old).First())];
}
