using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Liveness: when faults have ended, within a bounded time every node is in-sync and answers reads, and every
/// client has its answers.</summary>
internal static class Recovery
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(20);

    public static void Await(SimulatedCluster cluster)
    {
        var limit = cluster.Scheduler.Now + cluster.Scenario.Recovery
            + cluster.Scenario.FetchTime(cluster.Committed.Top); // a member may have lost its disk at the end
        while (true)
        {
            var until = cluster.Scheduler.Now + Slice;
            while (cluster.Scheduler.Now < until) cluster.Scheduler.Step();
            var missing = Missing(cluster);
            if (missing is null) return;
            if (cluster.Scheduler.Now > limit) throw new ViolationException("Liveness", missing);
        }
    }

    private static string? Missing(SimulatedCluster cluster)
    {
        foreach (var node in cluster.Nodes)
        {
            if (node.Core is not { } core) return $"{node.Id} is down";
            var mode = core.Mode(node.Clock);
            if (mode != NodeMode.Alive) return $"{node.Id} is {mode} in {core.View}";
            if (core.Applied.Value < cluster.Committed.Top)
                return $"{node.Id} knows of commits up to {core.Applied} of {cluster.Committed.Top}";
        }

        return cluster.Clients.FirstOrDefault(c => !c.IsDone) is { } client ? $"{client.Name} waits" : null;
    }
}
