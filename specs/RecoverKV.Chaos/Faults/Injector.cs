using System.Globalization;
using RecoverKV.Chaos.Cluster;

namespace RecoverKV.Chaos.Faults;

/// <summary>Begins and ends faults. What was begun is ended by <see cref="HealAsync"/>.</summary>
internal sealed class Injector(ChaosCluster cluster, Random random, TimeSpan lease)
{
    private readonly List<Func<Task>> _heal = [];

    /// <summary>The kinds that this machine can do.</summary>
    public static IEnumerable<FaultKind> Possible(ChaosCluster cluster, bool clockJumps) => Enum.GetValues<FaultKind>().Where(kind => kind switch
    {
        FaultKind.OneWay or FaultKind.FromClients => cluster.Network.CutsOneWay,
        FaultKind.Throttle => cluster.Network.Throttles,
        FaultKind.FullDisk => cluster.Disks.AreSmall,
        FaultKind.ClockJump => clockJumps,
        _ => true,
    });

    /// <summary>Begins a fault.</summary>
    /// <returns>To whom; null if it cannot be done now.</returns>
    public async Task<string?> InjectAsync(FaultKind kind)
    {
        var node = Target();
        switch (kind)
        {
            case FaultKind.KillOne:
                return await KillAsync([node]);
            case FaultKind.KillSome:
                return await KillAsync(Sample(random.Next(2, cluster.Nodes.Count)));
            case FaultKind.KillAll:
                return await KillAsync(cluster.Nodes);
            case FaultKind.Pause:
                return Pause([node]);
            case FaultKind.PauseAll:
                return Pause(Sample(random.Next(2, cluster.Nodes.Count + 1)));
            case FaultKind.CleanStop:
                await node.StopAsync(TimeSpan.FromSeconds(15));
                return Name(node);
            case FaultKind.Isolate:
                return await CutAsync([node], bothWays: true);
            case FaultKind.Halves:
                return await CutAsync(Sample(random.Next(1, cluster.Nodes.Count)), bothWays: true);
            case FaultKind.OneWay:
                return await CutAsync(Sample(random.Next(1, cluster.Nodes.Count)), bothWays: false);
            case FaultKind.OneLink:
                var pair = Sample(2);
                return await CutAsync([(pair[0].Number, pair[1].Number), (pair[1].Number, pair[0].Number)]);
            case FaultKind.FromClients:
                return await CutAsync([.. cluster.Nodes.Where(n => n != node).Select(n => n.Number).Append(0)
                    .SelectMany(other => new[] { (node.Number, other), (other, node.Number) })]);
            case FaultKind.Throttle:
                await cluster.Network.ThrottleAsync(node.Number);
                _heal.Add(cluster.Network.MendAsync);
                return Name(node);
            case FaultKind.FullDisk:
                Disks.Fill(node.Folder);
                _heal.Add(() =>
                {
                    Disks.Free(node.Folder);
                    return Task.CompletedTask;
                });
                return Name(node);
            case FaultKind.ClockJump:
                var jump = TimeSpan.FromSeconds(random.Next(-86_400, 86_400));
                node.SetClock(jump);
                return string.Create(CultureInfo.InvariantCulture, $"{Name(node)} by {jump}");
            default:
                return await DamageAsync(kind, node);
        }
    }

    /// <summary>Ends all that was begun, and starts whatever does not run.</summary>
    public async Task HealAsync()
    {
        foreach (var heal in _heal) await heal();
        _heal.Clear();
        foreach (var node in cluster.Nodes) node.Start();
    }

    /// <summary>Any node, the sequencer more often than its share.</summary>
    private ChaosNode Target() => cluster.Sequencer is { } sequencer && random.NextDouble() < 0.4
        ? sequencer
        : cluster.Nodes[random.Next(cluster.Nodes.Count)];

    private List<ChaosNode> Sample(int count) => [.. cluster.Nodes.OrderBy(_ => random.Next()).Take(count)];

    private string Name(params IEnumerable<ChaosNode> nodes) => string.Join(' ', nodes.OrderBy(n => n.Number).Select(n => n == cluster.Sequencer ? n.Name + "*" : n.Name));

    private async Task<string> KillAsync(IReadOnlyCollection<ChaosNode> nodes)
    {
        var name = Name(nodes);
        await Task.WhenAll(nodes.Select(n => n.KillAsync()));
        return name;
    }

    private string Pause(IReadOnlyCollection<ChaosNode> nodes)
    {
        foreach (var node in nodes.Where(n => n.IsRunning)) node.Pause();
        var time = random.NextDouble() * 3 * lease;
        _heal.Add(async () =>
        {
            await Task.Delay(time);
            foreach (var node in nodes.Where(n => n.IsRunning)) node.Continue();
        });
        return string.Create(CultureInfo.InvariantCulture, $"{Name(nodes)} for {time.TotalSeconds:F1} s");
    }

    private Task<string> CutAsync(IReadOnlyCollection<ChaosNode> side, bool bothWays) => CutAsync(
    [
        .. from a in side
           from b in cluster.Nodes.Except(side)
           from link in bothWays ? new[] { (a.Number, b.Number), (b.Number, a.Number) } : [(a.Number, b.Number)]
           select link,
    ]);

    private async Task<string> CutAsync(List<(int From, int To)> links)
    {
        await cluster.Network.CutAsync(links);
        _heal.Add(cluster.Network.MendAsync);
        return string.Join(' ', links.Select(l => $"{l.From}>{l.To}"))
            + (cluster.Sequencer is { } sequencer ? $" (sequencer {sequencer.Number})" : "");
    }

    private async Task<string?> DamageAsync(FaultKind kind, ChaosNode node)
    {
        var name = Name(node);
        var data = Path.Combine(node.Folder, "data");
        await node.KillAsync();
        switch (kind)
        {
            case FaultKind.JournalTail:
                var commits = JournalDamage.TruncateTail(data, random);
                return commits == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{name}, {commits} commits");
            case FaultKind.JournalNoise:
                return $"{name}, {JournalDamage.Noise(data, random)}";
            default:
                Directory.Delete(data, recursive: true);
                return name;
        }
    }
}
