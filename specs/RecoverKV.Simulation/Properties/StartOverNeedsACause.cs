using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R11: only a replica whose disk lost data starts over.</summary>
internal sealed class StartOverNeedsACause(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "Only a damaged disk is given up";

    public override void OnStartOver(SimulatedNode node, string reason)
    {
        Cluster.Statistics.StartedOver++;
        Hold(node.Disk.LostFacts, $"{node.Id} starts over: {reason}");
    }
}
