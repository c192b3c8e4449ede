namespace RecoverKV.Actors.Protocol;

// R11 Amnesia: a disk that lost what it had vouched for. (A lost data folder shows as a new incarnation: such a
// replica is in no view's members, so neither its promises nor its acknowledgements count until a view takes it in.)
public sealed partial class ReplicaCore
{
    // An in-sync promiser must have everything that any promiser knows to be committed. One that does not may have lost
    // promises and views as well: it is no donor, no voter and no target.
    private bool LostItsTail(Campaign campaign, View newest, MemberId member, Uid vouched)
    {
        if (Mutated(Mutations.AmnesiaTrusted)) return false;
        if (!newest.IsInSync(member) || campaign.Promises[member].Contiguous >= vouched) return false;
        if (campaign.Amnesiacs.Add(member)) Send(member.Node, new TailLost(campaign.Epoch, vouched));
        return true;
    }

    private void OnTailLost(TailLost message)
    {
        // Late copies must not wipe a healthy disk: the replica looks for itself.
        if (message.Epoch != _promised.Epoch || _log.Durable.Contiguous >= message.Vouched) return;
        StartOver($"the disk has uids up to {_log.Durable.Contiguous}, but {message.Vouched} had been acknowledged");
    }

    // A member of the view that acknowledges less than it once did. (Late messages look the same: it is asked to look
    // for itself.)
    private void CheckTail(Leading leading, MemberId from, Uid contiguous)
    {
        if (!_view.IsInSync(from) || contiguous >= leading.Followers[from].Contiguous) return;
        if (!Mutated(Mutations.AmnesiaTrusted)) Send(from.Node, new TailLost(_view.Epoch, leading.Followers[from].Contiguous));
    }

    private void StartOver(string reason)
    {
        Notice($"{_self} starts over: {reason}");
        Effects.Add(new Effect.StartOver(reason));
    }

    // The configured node's current incarnation takes the place of an older one (R11), if the view is to have it.
    private static MemberId[] Members(Campaign campaign, View newest) =>
        [.. newest.Members.Select(old => campaign.Promises.Keys
            .Where(m => m.Node == old.Node && m != old && campaign.Wanted?.Contains(m.Node) == true)
            .DefaultIfEmpty(old).First())];
}
