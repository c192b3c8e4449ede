using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>
/// R7: what is dropped is no committed entry, and no entry takes the place of one. Who synchronises for a candidate
/// that has lost may drop what a later view commits meanwhile: it is not in-sync there, as it has not promised that
/// view's epoch, and will fetch it anew. And a disk that no view has as a member yet vouches for nothing: what it took
/// by a late word of an old view, and no history tells of any more, it fetches anew.
/// </summary>
internal sealed class CommittedIsNeverDropped(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "A committed entry is never dropped";

    public override void OnFact(SimulatedNode node, Fact fact)
    {
        var ranges = fact switch
        {
            ViewAccepted accepted => accepted.Dropped,
            OrphansDropped dropped => dropped.Dropped,
            _ => [],
        };
        foreach (var range in ranges)
        {
            for (var uid = range.First.Value; uid <= Math.Min(range.Last.Value, Cluster.Committed.Top); uid++)
            {
                Hold(node.Appended.At(uid)?.Epoch != Cluster.Committed.At(uid).Epoch
                    || !node.Core!.View.HasMember(node.Member)
                    || Cluster.Committed.CommittedIn(uid) > node.Core!.PromisedEpoch,
                    $"{node.Id} drops the committed uid {uid}");
            }
        }

        if (fact is not EntriesAppended { Batch: var batch }) return;
        for (var i = 0; i < batch.Requests.Count; i++)
        {
            var uid = batch.First + i;
            Hold(node.Appended.At(uid.Value) is not { } held || held.Epoch == batch.Epoch,
                $"{node.Id} journals uid {uid} of epoch {batch.Epoch} over one of another epoch");
        }
    }
}
