using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R2: an epoch has one view, whoever speaks of it.</summary>
internal sealed class OneViewPerEpoch(SimulatedCluster cluster) : Property(cluster)
{
    private readonly Dictionary<Epoch, View> _views = [];

    protected override string Name => "One view per epoch";

    /// <summary>How many views there were.</summary>
    public int Count => _views.Count;

    public override void OnFact(SimulatedNode node, Fact fact)
    {
        if (fact is ViewAccepted { View: var view }) Compare(node, view);
    }

    public override void OnSend(SimulatedNode node, PeerMessage message)
    {
        if (message is InstallView { View: var view }) Compare(node, view);
    }

    private void Compare(SimulatedNode node, View view)
    {
        if (_views.TryAdd(view.Epoch, view)) return;
        var first = _views[view.Epoch];
        var same = first.Sequencer == view.Sequencer && first.FirstUid == view.FirstUid
            && first.Members.SequenceEqual(view.Members) && first.InSync.ToHashSet().SetEquals(view.InSync)
            && first.History.SequenceEqual(view.History);
        Hold(same, $"{first} and, at {node.Id}, {view}");
    }
}
