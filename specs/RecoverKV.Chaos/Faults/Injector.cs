using System.Diagnostics;
using System.Globalization;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.Load;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos.Faults;

/// <summary>Begins and ends faults. What was begun is ended by <see cref="HealAsync"/>.</summary>
internal sealed class Injector(ChaosCluster cluster, Random random, TimeSpan lease)
{
    private static readonly TimeSpan LongSilence = TimeSpan.FromMinutes(5), Slowness = TimeSpan.FromSeconds(10);

    private readonly List<Func<Task>> _heal = [];

    /// <summary>What was seen during a fault that must not be; null if nothing was.</summary>
    public string? Violation { get; private set; }

    /// <summary>The kinds that this machine can do.</summary>
    public static IEnumerable<FaultKind> Possible(ChaosCluster cluster) =>
        Enum.GetValues<FaultKind>().Where(kind => kind switch
        {
            FaultKind.OneWay or FaultKind.FromClients => cluster.Network.CutsOneWay,
            FaultKind.Throttle or FaultKind.ThinLink => cluster.Network.Throttles,
            FaultKind.FullDisk or FaultKind.FullDisks => cluster.Disks.AreSmall,
            FaultKind.ClockJump => cluster.Preloads.FakeTime is not null,
            FaultKind.SlowDisk => cluster.Preloads.SlowDisk is not null,
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
                return Pause([node], random.NextDouble() * 3 * lease);
            case FaultKind.PauseAll:
                return Pause(Sample(random.Next(2, cluster.Nodes.Count + 1)), random.NextDouble() * 3 * lease);
            case FaultKind.LongSilence:
                return Pause([node], LongSilence);
            case FaultKind.SlowMember:
                return Slow(node);
            case FaultKind.SlowDisk:
                return SlowDisk(node);
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
            case FaultKind.ThinLink:
                return await ThinAsync();
            case FaultKind.FullDisk:
                return Fill([node]);
            case FaultKind.FullDisks:
                return Fill(cluster.Nodes);
            case FaultKind.ForeignFolder:
                var foreign = new ForeignFolder(cluster, node);
                _heal.Add(async () => Violation ??= await foreign.RemoveAsync());
                await foreign.PutAsync();
                return Name(node);
            case FaultKind.LogLostAlone:
                return await LoseLogAloneAsync();
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

    private string Name(params IEnumerable<ChaosNode> nodes) =>
        string.Join(' ', nodes.OrderBy(n => n.Number).Select(n => n == cluster.Sequencer ? n.Name + "*" : n.Name));

    private async Task<string> KillAsync(IReadOnlyCollection<ChaosNode> nodes)
    {
        var name = Name(nodes);
        await Task.WhenAll(nodes.Select(n => n.KillAsync()));
        return name;
    }

    private string Pause(IReadOnlyCollection<ChaosNode> nodes, TimeSpan time)
    {
        foreach (var node in nodes.Where(n => n.IsRunning)) node.Pause();
        _heal.Add(async () =>
        {
            await Task.Delay(time);
            foreach (var node in nodes.Where(n => n.IsRunning)) node.Continue();
        });
        return string.Create(CultureInfo.InvariantCulture, $"{Name(nodes)} for {time.TotalSeconds:F1} s");
    }

    private string Slow(ChaosNode node)
    {
        async Task RunSlowlyAsync()
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < Slowness && node.IsRunning;)
            {
                node.Pause();
                await Task.Delay(400);
                node.Continue();
                await Task.Delay(100);
            }
        }

        var slow = RunSlowlyAsync();
        _heal.Add(() => slow);
        return Name(node);
    }

    private string SlowDisk(ChaosNode node)
    {
        node.SetDisk(TimeSpan.FromMilliseconds(500));
        _heal.Add(async () =>
        {
            await Task.Delay(Slowness);
            node.SetDisk(TimeSpan.Zero);
        });
        return Name(node);
    }

    private string Fill(IReadOnlyCollection<ChaosNode> nodes)
    {
        foreach (var node in nodes) Disks.Fill(node.Folder);
        _heal.Add(() =>
        {
            foreach (var node in nodes) Disks.Free(node.Folder);
            return Task.CompletedTask;
        });
        return Name(nodes);
    }

    /// <summary>Values that links carry in seconds come on top of what the clients do.</summary>
    private async Task<string> ThinAsync()
    {
        const int values = 12;
        await cluster.Network.ThinAsync();
        var load = LoadLargeAsync(values);
        _heal.Add(async () =>
        {
            Violation ??= await load;
            await cluster.Network.MendAsync();
        });
        return string.Create(CultureInfo.InvariantCulture, $"{values} values");
    }

    /// <summary>Writes so many values of 1 MiB.</summary>
    /// <returns>Why not; null if they are written.</returns>
    private async Task<string?> LoadLargeAsync(int values)
    {
        var file = cluster.Nodes[0].Folder + ".large.tsv";
        await File.WriteAllLinesAsync(
            file, Enumerable.Range(1, values).Select(i => $"large{i}\t{new string('x', 1024 * 1024)}"));
        var (code, _, error) = await Commands.TryAsync(cluster.Network.AtClients(Commands.Program(
            "recoverkv", "load", file, "--contact", string.Join(',', cluster.Contacts))));
        File.Delete(file);
        return code == 0 ? null : $"the load of {values} values of 1 MiB ended with {code}: {error.Trim()}";
    }

    /// <summary>Some fall; the others acknowledge writes without them, and fall; one of these loses its log. Then only
    /// that one and those who fell first start: a majority of which nobody has the last writes.</summary>
    private async Task<string> LoseLogAloneAsync()
    {
        var nodes = Sample(cluster.Nodes.Count);
        var first = nodes[..((nodes.Count - 1) / 2)];
        var (loser, others) = (nodes[first.Count], nodes[first.Count..]);
        var detail = $"{Name(loser)}; first fell {Name(first)}";
        // So much that a log of before is in the file: a journal that is empty without its log is noticed anyway.
        Violation ??= await LoadLargeAsync(values: 8);
        await KillAsync(first);
        await AliveAsync(others, TimeSpan.FromSeconds(15));
        await Task.Delay(TimeSpan.FromSeconds(3));
        await KillAsync(others);
        JournalDamage.DeleteLog(Path.Combine(loser.Folder, "data"));
        foreach (var node in first.Append(loser)) node.Start();
        // They must not: but if they do, clients are to see it.
        await AliveAsync([.. first, loser], TimeSpan.FromSeconds(20));
        return detail;
    }

    private Task<Sample?> AliveAsync(IReadOnlyCollection<ChaosNode> nodes, TimeSpan patience) => cluster.WaitAsync(
        s => nodes.All(n => s.Nodes.Any(o => o.Node == n.Name && o.Mode == NodeMode.Alive)), patience);

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
            case FaultKind.LogLost:
                return JournalDamage.DeleteLog(data) ? name : null;
            case FaultKind.JournalNoise:
                return $"{name}, {JournalDamage.Noise(data, random)}";
            default:
                Directory.Delete(data, recursive: true);
                return name;
        }
    }
}
