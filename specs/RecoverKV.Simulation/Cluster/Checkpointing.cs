using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;

namespace RecoverKV.Simulation.Cluster;

/// <summary>What a node's host does to make checkpoints: at random times, in small steps between inputs, on a disk that
/// takes its time and fails now and then. One for each run of the process.</summary>
internal sealed class Checkpointing(SimulatedCluster cluster, SimulatedNode node, Prng random)
{
    private readonly List<StatePart> _parts = [];
    private Checkpoint? _checkpoint;

    /// <summary>Begins one some time from now.</summary>
    public void Plan()
    {
        var mean = cluster.Scenario.MeanBetweenCheckpoints;
        if (mean > TimeSpan.Zero) Later(mean * (2 * random.Unit()), Begin);
    }

    private void Begin(ReplicaCore core)
    {
        // Seldom while a peer takes the one that there is.
        if (core.TakesState || core.GivesState(node.Clock) && random.Chance(0.9))
        {
            Plan();
            return;
        }

        _parts.Clear();
        _checkpoint = core.BeginCheckpoint();
        if (_checkpoint is null) Plan();
        else Later(Pause, Step);
    }

    private void Step(ReplicaCore core)
    {
        if (random.Chance(0.01))
        {
            core.ForgetCheckpoint();
            Plan();
            return;
        }

        // Parts are small here, so that writes come between them.
        if (_checkpoint!.State.Next(random.Between(1, 2), 1_000_000) is { } part) _parts.Add(part);
        else if (core.MayFinish(_checkpoint))
        {
            node.Disk.Save(node.Disk.Saved.With(_checkpoint, _parts));
            core.CheckpointSaved(_checkpoint);
            cluster.Statistics.Checkpoints++;
            cluster.Trace.Add(
                cluster.Scheduler.Now, "saved", node.Id.Name, "",
                $"uid {_checkpoint.Base.Applied} fact {_checkpoint.Base.Fact} from {_checkpoint.Base.ReplayFrom}");
            Plan();
            return;
        }

        Later(Pause, Step);
    }

    private TimeSpan Pause => random.Between(TimeSpan.Zero, 2 * cluster.Scenario.MaxDiskDelay);

    // Nothing, if the process is gone by then.
    private void Later(TimeSpan time, Action<ReplicaCore> step)
    {
        var life = node.Life;
        cluster.Scheduler.After(time, () =>
        {
            if (life == node.Life) node.Input(step);
        });
    }
}
