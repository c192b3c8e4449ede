using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Every view is well-formed: one member per configured node, in-sync members are a majority of them, and
/// the history ascends and ends with the view itself (View.cs).</summary>
internal sealed class InSyncIsAMajority(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "In-sync is a majority of the members";

    public override void OnFact(SimulatedNode node, Fact fact)
    {
        if (fact is not ViewAccepted { View: var view }) return;
        var members = view.Members.Select(m => m.Node).ToArray();
        Hold(members.ToHashSet().SetEquals(Cluster.NodeIds) && members.Length == Cluster.NodeIds.Length,
            $"the members of {view} are {string.Join(' ', view.Members)}");
        Hold(view.InSync.Distinct().Count() == view.InSync.Length && view.InSync.All(members.Contains)
            && view.InSync.Length * 2 > members.Length, $"{view}");
        Hold(view.History[^1] == new Tenure(view.Epoch, view.FirstUid), $"the history of {view}");
        for (var i = 1; i < view.History.Length; i++)
        {
            Hold(view.History[i - 1].Epoch < view.History[i].Epoch
                && view.History[i - 1].FirstUid < view.History[i].FirstUid, $"the history of {view}");
        }
    }
}
