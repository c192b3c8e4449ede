using RecoverKV.Actors.Protocol;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>R8: a member that alone keeps the writes of a view waiting nearly all of the time, while a majority is well
/// and answers the sequencer, which is well too, does not stay in-sync.</summary>
internal sealed class SlowMembersLeave(SimulatedCluster cluster) : Property(cluster)
{
    // Above what the core takes by as much as messages may be lost in between.
    private const int Windows = 6;

    private readonly TimeSpan _patience = SlownessBook.Patience(cluster.Scenario.Options);
    private readonly Dictionary<NodeId, SlownessBook> _books = [];
    private (NodeId Sequencer, Epoch Epoch) _tenure;
    private TimeSpan _lookedAt;

    protected override string Name => "Slow members do not stay in-sync";

    public override void AfterStep(SimulatedNode node, ReplicaCore core)
    {
        if (!core.IsSequencer) return;
        var passed = Cluster.Scheduler.Now - _lookedAt;
        if (_tenure != (node.Id, core.View.Epoch) || passed > _patience)
        {
            // Who stood still itself saw nothing.
            _tenure = (node.Id, core.View.Epoch);
            _books.Clear();
        }
        else if (passed < _patience / 10)
        {
            return;
        }

        _lookedAt = Cluster.Scheduler.Now;
        // Whom it does not reach it can make no view with.
        if (node.Clock - core.MajorityHeardAt > _patience) return;
        var inSync = Cluster.Nodes.Where(n => core.View.IsInSync(n.Member)).ToArray();
        if (inSync.Length < core.View.InSync.Length) return;
        var held = inSync.Select(Reached).OrderDescending().ElementAtOrDefault(core.View.Majority - 1);
        foreach (var member in inSync.Where(n => n != node))
        {
            if (!_books.TryGetValue(member.Id, out var book)) _books.Add(member.Id, book = new SlownessBook(_patience));
            book.Add(passed, Reached(member), held);
            Hold(book.Windows < Windows, $"{member.Id} held up the writes of {core.View} for {Windows} windows");
        }
    }

    private static Uid Reached(SimulatedNode node) => node.Core?.Contiguous ?? default;
}
