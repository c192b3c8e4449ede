using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Properties;

namespace RecoverKV.Simulation.Cluster;

/// <summary>Does harm at random times; every fault ends by itself, and all of them at the end.</summary>
internal sealed class Nemesis
{
    private readonly SimulatedCluster _cluster;
    private readonly Prng _random;
    private readonly DiskFaults _disks;
    private readonly Faults[] _kinds;
    private bool _stopped;
    private TimeSpan _slowUntil;

    public Nemesis(SimulatedCluster cluster, Prng random)
    {
        (_cluster, _random) = (cluster, random);
        _disks = new DiskFaults(cluster, random.Fork());
        _kinds = [.. Enum.GetValues<Faults>().Where(f => f != Faults.None && cluster.Scenario.Faults.HasFlag(f))];
    }

    public void Start()
    {
        if (_kinds.Length > 0) _cluster.Scheduler.After(_cluster.Scenario.FaultsBegin, Act);
    }

    /// <summary>All faults end; nothing is lost any more.</summary>
    public void Stop()
    {
        _stopped = true;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "peace", "");
        _cluster.Network.MendAll();
        _cluster.Network.Loss = 0;
        foreach (var node in _cluster.Nodes)
        {
            node.Resume();
            node.FillDisk(false);
            if (node.IsForeign || node.Settings.Length > 0) Restore(node);
            node.Start();
        }
    }

    private void Act()
    {
        if (_stopped) return;
        Do(_random.Pick(_kinds));
        _cluster.Scheduler.After(_random.Exponential(_cluster.Scenario.MeanBetweenFaults), Act);
    }

    private void Do(Faults kind)
    {
        var node = Target();
        switch (kind)
        {
            case Faults.Crash or Faults.FailedWrite:
                Crash(node, kind);
                break;
            case Faults.CrashMany:
                if (_random.Chance(0.7)) return;
                foreach (var victim in _random.Sample(_cluster.Nodes, _random.Between(1, _cluster.Nodes.Length)))
                    Crash(victim, kind);
                break;
            case Faults.Pause:
                Count(kind);
                node.Pause(_random.Milliseconds(10, 3 * _cluster.Scenario.Options.Lease.TotalMilliseconds));
                break;
            case Faults.Partition or Faults.OneWayCut:
                Partition(kind);
                break;
            case Faults.PartialCut:
                CutOneLink();
                break;
            case Faults.LossyTimes:
                Count(kind, "loss");
                _cluster.Network.Loss = _random.Between(0.1, 0.6);
                Later(50, 1500, () => _cluster.Network.Loss = _cluster.Scenario.Loss);
                break;
            case Faults.DiskStall:
                Count(kind, "disk slow", node.Id.Name);
                node.Disk.Stall(_random.Milliseconds(20, 2000));
                break;
            case Faults.WipedDisk or Faults.LostTail or Faults.LostLog:
                if (kind == Faults.WipedDisk && _random.Chance(0.5)) return; // rarer
                if (!_disks.TryDo(kind, node)) return;
                Count(kind);
                Later(10, 1500, node.Start);
                // What breaks a disk seldom leaves the neighbours alone, who would tell at once what it lost.
                if (_random.Chance(0.5)) Crash(_random.Pick(_cluster.Nodes), kind);
                break;
            case Faults.FullDisk:
                Count(kind, "disk full", node.Id.Name);
                node.FillDisk(true);
                Later(50, 3000, () => node.FillDisk(false));
                break;
            case Faults.Leave:
                Count(kind, "leave", node.Id.Name);
                node.Input(core => core.Leave(node.Clock));
                // It may be unable to leave in good order; then it is stopped the hard way. Or it is stopped and
                // started again before anybody has noticed.
                if (_random.Chance(0.5)) Later(500, 3000, () => Crash(node, kind));
                else Later(1, 60, () => Restart(node));
                break;
            case Faults.OtherFolder or Faults.OtherSettings:
                if (_cluster.Nodes.Length == 1 || node.IsForeign || node.Settings.Length > 0 || node.Disk.LostFacts)
                    return;
                // A wiped folder joins the store that finds it first: which that is then is the operator's choice.
                if (kind == Faults.OtherFolder
                    && _cluster.Nodes.Any(n => n.Store == Guid.Empty) && _cluster.Nodes.Any(n => n.Store != Guid.Empty))
                    return;
                Count(kind);
                node.Crash();
                if (kind == Faults.OtherFolder) node.Exchange(OtherFolder(node));
                else node.Settings = [new Setting("members", "others")];
                Later(1, 500, node.Start);
                Later(1000, 5000, () =>
                {
                    Restore(node);
                    Later(1, 500, node.Start);
                });
                break;
            case Faults.OldWords:
                if (Leader() is not { } hearer || node == hearer || !node.IsUp || node.IsPaused) return;
                Count(kind, "old words", node.Id.Name);
                SpeakLate(node, hearer);
                break;
            case Faults.Succession:
                if (Leader() is not { } leader || _cluster.Nodes.Length == 1) return;
                Depose(leader, _random.Between(1, 4));
                break;
            case Faults.SlowNode:
                // Mostly one at a time: where many are slow nothing better can be had.
                if (_cluster.Scheduler.Now < _slowUntil && _random.Chance(0.9)) return;
                Count(kind, "slow", node.Id.Name);
                _slowUntil = _cluster.Scheduler.Now
                    + _random.Between(8, 30) * SlownessBook.Window(_cluster.Scenario.Options);
                BeSlow(node, _slowUntil, ofDisk: _random.Chance(0.4));
                break;
        }
    }

    private static void Restore(SimulatedNode node)
    {
        node.Exchange(null);
        node.Settings = [];
    }

    /// <summary>The folder of the node of the same name in another store, whose epochs and log may be ahead.</summary>
    private Fact[] OtherFolder(SimulatedNode node)
    {
        var epoch = new Epoch(_random.OneOf(1, 5, 1000));
        var view = new View
        {
            Epoch = epoch,
            Sequencer = _random.Pick(_cluster.NodeIds),
            Members = [.. _cluster.NodeIds.Select(n => new MemberId(n, _random.Guid()))],
            InSync = _cluster.NodeIds,
            FirstUid = new Uid(1),
            History = [new Tenure(epoch, new Uid(1))],
            Cluster = _random.Guid(),
            Lease = _cluster.Scenario.Options.Lease,
        };
        var requests = Enumerable.Range(1, _random.OneOf(1, 20, 500)).Select(i => i == 1
            ? WriteRequestCodec.Create(0, 1, 0, [])
            : WriteRequestCodec.Create(1, i, 0, [new(OperationKind.Put, Values.Key(0), Values.Of(-i))])).ToArray();
        return
        [
            new ViewAccepted(view, [], Uid.Zero),
            new EntriesAppended(new Batch(epoch, new Uid(1), requests), Uid.Zero),
            new EntriesAppended(
                new Batch(epoch, new Uid(requests.Length + 1), requests[^1..]), new Uid(requests.Length))
        ];
    }

    private void BeSlow(SimulatedNode node, TimeSpan until, bool ofDisk)
    {
        if (_stopped || _cluster.Scheduler.Now >= until) return;
        var options = _cluster.Scenario.Options;
        var patience = SlownessBook.Patience(options);
        // A process that stands still for longer is silent, which is another fault.
        if (ofDisk || 4 * patience + options.HeartbeatInterval > options.SilenceLimit) node.Disk.Stall(4 * patience);
        else node.Pause(4 * patience);
        _cluster.Scheduler.After(5 * patience, () => BeSlow(node, until, ofDisk));
    }

    /// <summary>Any node, the sequencer more often than its share.</summary>
    private SimulatedNode Target()
    {
        var leader = Leader();
        return leader is not null && _random.Chance(0.4) ? leader : _random.Pick(_cluster.Nodes);
    }

    private SimulatedNode? Leader(SimulatedNode? other = null) =>
        _cluster.Nodes.FirstOrDefault(n => n != other && n.Core is { IsSequencer: true });

    private void Crash(SimulatedNode node, Faults kind)
    {
        if (!node.IsUp) return;
        var failedWrite = kind == Faults.FailedWrite;
        Count(kind);
        node.Crash(failedWrite);
        // Short and long absences; a process that its supervisor restarts is back soon.
        Later(1, failedWrite ? 100 : _random.OneOf(50, 1500, 5000), node.Start);
    }

    // What matters is the lease that the new run holds by then: so it is cut off at once, and clients may still reach
    // it.
    private void SpeakLate(SimulatedNode node, SimulatedNode hearer)
    {
        _cluster.Network.Hold(node.Index, hearer.Index);
        Later(1, 30, () =>
        {
            node.Input(core => core.Leave(node.Clock));
            Later(1, 20, () =>
            {
                node.Crash();
                var release = _cluster.Network.Reconnect(node.Index, hearer.Index);
                Later(1, 20, node.Start);
                var limit = _cluster.Scheduler.Now + 3 * _cluster.Scenario.Options.Lease;
                WhenAlive(node, limit, () => Later(0, 20, () =>
                {
                    release();
                    Later(1, 20, () => Cut(
                        Faults.OldWords,
                        [.. _cluster.Nodes.Where(n => n != node).SelectMany(n => new[] { (node, n), (n, node) })]));
                }));
            });
        });
    }

    private void WhenAlive(SimulatedNode node, TimeSpan limit, Action action)
    {
        if (node.Core?.Mode(node.Clock) == NodeMode.Alive || _cluster.Scheduler.Now > limit) action();
        else Later(5, 20, () => WhenAlive(node, limit, action));
    }

    private void Restart(SimulatedNode node)
    {
        node.Crash();
        Later(1, 60, node.Start);
    }

    private void Partition(Faults kind)
    {
        if (_cluster.Nodes.Length == 1) return;
        var side = _random.Sample(_cluster.Nodes, _random.Between(1, _cluster.Nodes.Length - 1));
        var links = from a in _cluster.Nodes
                    from b in _cluster.Nodes
                    where side.Contains(a) != side.Contains(b) && (kind != Faults.OneWayCut || side.Contains(a))
                    select (a, b);
        Cut(kind, [.. links]);
    }

    private void CutOneLink()
    {
        if (_cluster.Nodes.Length == 1) return;
        var pair = _random.Sample(_cluster.Nodes, 2);
        Cut(Faults.PartialCut, [(pair[0], pair[1]), (pair[1], pair[0])]);
    }

    /// <summary>What a deposed sequencer had under way are orphans (R7). It comes back while the next one is cut off,
    /// so it hears of the new log from an election, and not from the sequencer of a view.</summary>
    private void Depose(SimulatedNode leader, int times)
    {
        var links = _cluster.Nodes.Where(n => n != leader).SelectMany(n => new[] { (leader, n), (n, leader) }).ToList();
        CutOff(Faults.Succession, links);
        var limit = _cluster.Scheduler.Now + 5 * _cluster.Scenario.Options.Lease;
        Later(0, 200, Watch);

        void Watch()
        {
            var next = Leader(other: leader);
            if (next is null && _cluster.Scheduler.Now < limit)
            {
                Later(5, 100, Watch);
                return;
            }

            Mend(links);
            if (next is not null && times > 1) Depose(next, times - 1);
        }
    }

    private void Cut(Faults kind, List<(SimulatedNode From, SimulatedNode To)> links)
    {
        CutOff(kind, links);
        Later(20, _random.OneOf(300, 2500), () => Mend(links));
    }

    private void CutOff(Faults kind, List<(SimulatedNode From, SimulatedNode To)> links)
    {
        Count(kind, "cut", "", Words(links));
        foreach (var (from, to) in links) _cluster.Network.Cut(from.Index, to.Index);
    }

    private void Mend(List<(SimulatedNode From, SimulatedNode To)> links)
    {
        _cluster.Trace.Add(_cluster.Scheduler.Now, "mend", "", "", Words(links));
        foreach (var (from, to) in links) _cluster.Network.Mend(from.Index, to.Index);
    }

    private static string Words(List<(SimulatedNode From, SimulatedNode To)> links) =>
        string.Join(' ', links.Select(l => $"{l.From.Id}>{l.To.Id}"));

    private void Later(double low, double high, Action action) =>
        _cluster.Scheduler.After(_random.Milliseconds(low, high), () =>
        {
            if (!_stopped) action();
        });

    private void Count(Faults kind, string? what = null, string where = "", string? detail = null)
    {
        _cluster.Statistics.CountFault(kind);
        if (what is not null) _cluster.Trace.Add(_cluster.Scheduler.Now, what, where, "", detail);
    }
}
