using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>In the end every replica holds the same data: that of the committed log.</summary>
internal sealed class ReplicasEndEqual(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "Replicas hold the same data";

    public override void AtEnd()
    {
        var keys = Enumerable.Range(0, Cluster.Scenario.Keys).ToArray();
        var expected = keys.Select(k => Cluster.Committed.VersionAt(k, Cluster.Committed.Top)).ToArray();
        foreach (var node in Cluster.Nodes)
        {
            var core = node.Core!;
            Hold(core.KeyCount == Cluster.Committed.KeyCount,
                $"{node.Id} has {core.KeyCount} keys of {Cluster.Committed.KeyCount}");
            Hold((core.State.Sessions.Count, core.State.Sessions.Bytes)
                    == (Cluster.Committed.SessionCount, Cluster.Committed.SessionBytes),
                $"{node.Id} has {core.State.Sessions.Count} sessions with {core.State.Sessions.Bytes} bytes of "
                + $"answers, the log {Cluster.Committed.SessionCount} with {Cluster.Committed.SessionBytes}");
            Hold(core.Digest == Cluster.Nodes[0].Core!.Digest,
                $"{node.Id} has another digest than {Cluster.Nodes[0].Id}");
            var operation = new ClientOperation(Cluster.Clients[0], Cluster.Scheduler.Now, Cluster.Scheduler.Steps);
            core.Read(node.Clock, new Attempt(operation, node), ReadConsistency.Stale,
                new Read(1, [.. keys.Select(Values.Key)]));
            var answer = core.Effects.OfType<Effect.AnswerRead>().Single().Answer;
            var actual = answer.Versions.Select(v => v is null ? (0, 0) : (v.Uid, Values.Id(v.Value)));
            Hold(actual.SequenceEqual(expected), $"{node.Id} holds {Words.Of(answer)}");
        }
    }
}
