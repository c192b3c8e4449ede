using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R4: any two replicas agree on every committed uid, so no uid is used again for another committed
/// request. The first to commit a uid decides what it is.</summary>
internal sealed class CommittedPrefixesAreEqual(SimulatedCluster cluster) : Property(cluster)
{
    protected override string Name => "Committed prefixes are equal";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        for (var uid = node.Compared + 1; uid <= core.Applied.Value; uid++)
        {
            if (node.Appended.At(uid) is not { } entry)
                throw Broken($"{node.Id} committed uid {uid} without having it");
            if (core.EntryAt(new Uid(uid)) is { } own && !Same(new(own.Epoch, own.Request), entry))
                throw Broken($"{node.Id} holds another entry at uid {uid} than it journalled");
            if (uid > Cluster.Committed.Top) Cluster.Committed.Add(entry, core.View.Epoch);
            else if (!Same(Cluster.Committed.At(uid), entry))
            {
                throw Broken($"uid {uid} is {Show(Cluster.Committed.At(uid))} "
                    + $"but {Show(entry)} at {node.Id} in {core.View}");
            }
        }

        if (core.Applied.Value < node.Compared)
            throw Broken($"{node.Id} took uid {node.Compared} back to {core.Applied}");
        node.Compared = core.Applied.Value;
    }

    private static bool Same(JournalImage.Entry a, JournalImage.Entry b) => a.Epoch == b.Epoch
        && (ReferenceEquals(a.Request, b.Request) || a.Request.Encoded.Span.SequenceEqual(b.Request.Encoded.Span));

    private static string Show(JournalImage.Entry entry) => $"e{entry.Epoch} {Words.Of(entry.Request)}";
}
