using System.Globalization;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.Load;

namespace RecoverKV.Chaos.Faults;

/// <summary>Injects one fault after the other, sometimes two at once, and waits for all nodes to be ALIVE in
/// between.</summary>
internal sealed class Nemesis(ChaosCluster cluster, Random random, IReadOnlyList<FaultKind> kinds, TextWriter output)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    /// <summary>Without a fault all nodes must be ALIVE within this time.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Injector _injector = new(cluster, random, Lease);
    private readonly List<FaultKind> _deck = [];
    private bool _drawn;

    public List<FaultRecord> Records { get; } = [];

    /// <summary>What the operator had to do: a node that refuses a damaged journal wants its folder moved
    /// away.</summary>
    public int FoldersMoved { get; private set; }

    /// <summary>Why the run ended early; null if it did not.</summary>
    public string? Violation { get; private set; }

    public async Task RunAsync(DateTime end, CancellationToken cancellation)
    {
        if (!await BecomeWellAsync([])) return;
        while (DateTime.UtcNow < end && !cancellation.IsCancellationRequested)
        {
            var kind = Draw();
            cluster.Tls?.Exchange();
            // The last writes to a disk whose tail is to be lost must be writes of clients: a lost promise leaves no
            // mark.
            await Task.Delay(
                TimeSpan.FromSeconds(kind == FaultKind.JournalTail ? 3 : 0.5 + 2 * random.NextDouble()),
                CancellationToken.None);
            if (!await RoundAsync(kind)) return;
        }
    }

    /// <summary>Each kind once, in random order, before any comes again; a long silence only once.</summary>
    private FaultKind Draw()
    {
        if (_deck.Count == 0)
            _deck.AddRange(kinds.Where(k => k != FaultKind.LongSilence || !_drawn).OrderBy(_ => random.Next()));
        _drawn = true;
        var kind = _deck[^1];
        _deck.RemoveAt(_deck.Count - 1);
        return kind;
    }

    private async Task<bool> RoundAsync(FaultKind kind)
    {
        var injected = MonotonicClock.Now;
        var faults = new List<FaultKind> { kind };
        var detail = await _injector.InjectAsync(kind);
        if (detail is not null)
        {
            await HoldAsync();
            if (kind.Combines() && random.NextDouble() < 0.25)
            {
                var other = kinds[random.Next(kinds.Count)];
                if (other.Combines() && other != kind && other != FaultKind.CleanStop)
                {
                    faults.Add(other);
                    detail += " + " + await _injector.InjectAsync(other);
                    await HoldAsync();
                }
            }
        }

        await _injector.HealAsync();
        var healed = MonotonicClock.Now;
        Violation = _injector.Violation;
        if (Violation is not null) return false;
        if (!await BecomeWellAsync(faults)) return false;
        if (detail is null) return true;
        var record = new FaultRecord(faults, detail, injected, healed, MonotonicClock.Now);
        Records.Add(record);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:HH:mm:ss} {string.Join(" + ", faults)}: {detail}; "
            + $"lasted {(healed - injected) / 1e9:F1} s, well after {(record.Well - healed) / 1e9:F1} s"));
        return true;
    }

    private Task HoldAsync() => Task.Delay(TimeSpan.FromSeconds(0.2 + 4 * random.NextDouble()));

    private async Task<bool> BecomeWellAsync(IReadOnlyList<FaultKind> faults)
    {
        var end = DateTime.UtcNow + Patience;
        while (DateTime.UtcNow < end)
        {
            if (await cluster.WaitAsync(cluster.IsWell, end - DateTime.UtcNow) is not null) return true;
            foreach (var node in cluster.Nodes.Where(n => n.OwnExit is not null))
            {
                if (!MayEnd(faults))
                {
                    Violation = $"{node.Name} ended by itself with exit code {node.OwnExit} "
                        + $"after {string.Join(" + ", faults)}: {node.LastError}";
                    return false;
                }

                if (faults.Any(MayDamage)) MoveFolder(node);
                node.Start();
            }
        }

        Violation = $"not all nodes were ALIVE within {Patience.TotalSeconds:F0} s after {string.Join(" + ", faults)}: "
            + string.Join(", ", cluster.Last.Nodes.Select(
                n => $"{n.Node} {n.Mode} epoch {n.Epoch} applied {n.Applied}"));
        return false;
    }

    /// <summary>A node may refuse a damaged journal, and cannot start with a full disk.</summary>
    private static bool MayEnd(IReadOnlyList<FaultKind> faults) =>
        faults.Any(f => MayDamage(f) || f is FaultKind.FullDisk or FaultKind.FullDisks);

    /// <summary>Pages move from the write-ahead log into the file one by one: with half of them there and the log
    /// deleted, the file is none.</summary>
    private static bool MayDamage(FaultKind fault) =>
        fault is FaultKind.JournalNoise or FaultKind.LogLost or FaultKind.LogLostAlone;

    private void MoveFolder(ChaosNode node)
    {
        var data = Path.Combine(node.Folder, "data");
        Directory.Move(data, string.Create(CultureInfo.InvariantCulture, $"{data}.damaged-{++FoldersMoved}"));
    }
}
