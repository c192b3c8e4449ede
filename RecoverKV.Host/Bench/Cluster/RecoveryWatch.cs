using System.Net.NetworkInformation;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Bench.Loads;
using RecoverKV.Host.Bench.Reporting;

namespace RecoverKV.Host.Bench.Cluster;

/// <summary>Starts nodes that were held down, and watches from outside how they come back.</summary>
internal sealed class RecoveryWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly RecoverKvClient _client;
    private readonly OwnCluster _cluster;
    private readonly Dictionary<string, Times> _times;
    private readonly Lock _lock = new();
    private long _target;

    /// <summary>Of these nodes.</summary>
    public RecoveryWatch(RecoverKvClient client, OwnCluster cluster, IReadOnlyList<string> nodes)
    {
        (_client, _cluster) = (client, cluster);
        _times = nodes.ToDictionary(n => n, _ => new Times());
    }

    /// <summary>Starts them; ends when all are ALIVE.</summary>
    public async Task<IReadOnlyList<RecoveryReport>> RunAsync(CancellationToken interrupt)
    {
        _target = (await _client.GetStatusAsync(interrupt)).Nodes.Max(n => n.Uid);
        var begun = Nanoseconds.Now;
        foreach (var node in _times.Keys) _cluster.Release(node);
        var questions = new List<Task>();
        while (!AllAlive())
        {
            if (Nanoseconds.Now - begun > Nanoseconds.FromSeconds(Patience.TotalSeconds))
                throw new CommandFailedException(
                    $"the nodes did not come back: {_cluster.LastError ?? "no node says why"}");
            NoteListeners();
            // Not one after the other: a node that is not up yet holds up the answer for longer than it may take to
            // come back.
            questions.RemoveAll(q => q.IsCompletedSuccessfully);
            questions.Add(AskAsync(interrupt));
            await Task.Delay(Interval, interrupt);
        }

        await Task.WhenAll(questions);
        return [.. _times.Select(t => t.Value.Report(t.Key, _cluster.StartedAt(t.Key)))];
    }

    private bool AllAlive()
    {
        lock (_lock) return _times.Values.All(t => t.Alive is not null);
    }

    private void NoteListeners()
    {
        lock (_lock)
        {
            if (_times.Values.All(t => t.Listens is not null)) return;
        }

        // From the system's list: a connection would make a client wait before its next try, if it came too early.
        var ports = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(l => l.Port).ToHashSet();
        var now = Nanoseconds.Now;
        lock (_lock)
        {
            foreach (var node in _cluster.Nodes)
            {
                if (ports.Contains(node.Port) && _times.TryGetValue(node.Id, out var times)) times.Listens ??= now;
            }
        }
    }

    private async Task AskAsync(CancellationToken interrupt)
    {
        var nodes = (await _client.GetStatusAsync(interrupt)).Nodes;
        var now = Nanoseconds.Now;
        lock (_lock)
        {
            foreach (var node in nodes)
            {
                if (_times.TryGetValue(node.Node, out var times) && node.ProcessId == _cluster.PidOf(node.Node))
                    times.Note(node, now, _target);
            }
        }
    }

    private sealed class Times
    {
        private long? _replayed;
        private long? _complete;

        public long? Listens { get; set; }

        public long? Alive { get; private set; }

        // An answer that was given earlier may come later.
        public void Note(NodeStatus status, long now, long target)
        {
            if (status.Mode == NodeMode.Dead) return;
            Listens ??= now;
            // Until the journal is replayed, the gateway answers for the replica, without an epoch.
            if (status.Epoch == 0) return;
            _replayed ??= now;
            if (status.Uid >= target) _complete ??= now;
            if (status.Mode == NodeMode.Alive) Alive ??= now;
        }

        public RecoveryReport Report(string node, long start)
        {
            var alive = Alive ?? start;
            return new RecoveryReport(
                node, Seconds(Listens), Seconds(_replayed), Seconds(_complete), Seconds(alive));

            double Seconds(long? at) => (Math.Min(at ?? alive, alive) - start) / (double)Nanoseconds.PerSecond;
        }
    }
}
