using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>In the order in which they look on: who keeps books for the others comes first.</summary>
internal static class AllProperties
{
    public static List<Property> Of(SimulatedCluster cluster)
    {
        var known = new AnsweredUids(cluster);
        return
        [
            new CommittedPrefixesAreEqual(cluster),
            new OneViewPerEpoch(cluster),
            new StoresStayApart(cluster),
            new OneActiveSequencer(cluster),
            new InSyncIsAMajority(cluster),
            new CommittedIsNeverDropped(cluster),
            new InSyncHoldsCommitted(cluster),
            new LeasesEndBeforeOthersCommit(cluster),
            new ReplayGivesTheState(cluster),
            new EqualUidsEqualStates(cluster),
            new QuotaIsKept(cluster),
            new StartOverNeedsACause(cluster),
            new SlowMembersLeave(cluster),
            known,
            new AnswersOnce(cluster, known),
            new ReadsSeeAnswers(cluster, known),
            new ScansSeeAnswers(cluster, known),
            new ReplicasEndEqual(cluster),
            new HistoryIsLinearizable(cluster),
        ];
    }
}
