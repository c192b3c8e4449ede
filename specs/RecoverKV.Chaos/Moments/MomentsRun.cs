using System.Diagnostics;
using System.Globalization;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.Network;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Moments;

/// <summary>
/// Three nodes that make checkpoints and forget all the time, callers that write, and rounds: something that takes its
/// time is begun, and at a moment of it a process is killed, or a disk is full. Nothing may be lost, and nothing left
/// behind.
/// </summary>
internal sealed class MomentsRun(MomentsOptions options, TextWriter output)
{
    private const int Nodes = 3;

    // Of the disk, more than journals and logs of before may take beside twice the state.
    private const long MostBeside = 256L * 1024 * 1024;
    private const long MostOfKey = 2000;

    private const string Settings = """
        checkpoint { writes = 1000, bytes = 1MiB }
          log.keep = 0B
          log-memory = 8MiB
          fetch.bytes = 64KiB
          fetch-timeout = 500ms
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("recoverkv-moments-").FullName;
    private readonly Random _random = new(options.Seed);
    private readonly List<MomentsRound> _rounds = [];
    private readonly List<MomentKind> _deck = [];
    private MomentKind[] _kinds = [];
    private long _read, _largest;

    public async Task<MomentsResult> RunAsync(CancellationToken cancellation)
    {
        MomentsResult result;
        var began = DateTime.UtcNow;
        var backups = Path.Combine(_folder, "backups");
        await using (var disks = await Disks.CreateAsync([backups]))
        await using (var network = new LoopbackNetwork(Nodes, options.Port))
        await using (var cluster = await ChaosCluster.StartAsync(
            Nodes, _folder, network, new Preloads(null, null), tls: false, Settings))
        {
            if (await cluster.WaitAsync(cluster.IsWell, Stage.Patience, cancellation) is null)
                throw new ChaosException($"the cluster did not start; see the logs in {_folder}");
            _kinds = [.. (options.Kinds ?? Enum.GetValues<MomentKind>()).Where(k => disks.AreSmall || !k.FillsDisk())];
            await using var client = await RecoverKvClient.ConnectAsync(
                cluster.Contacts, new RecoverKvClientOptions { Deadline = TimeSpan.FromSeconds(30) }, cancellation);
            var writes = new NumberedWrites(client, options.Keys, options.Seed);
            await writes.LoadAsync();
            var stage = new Stage(cluster, client, writes, new MomentClock(_random), _random, backups);
            var files = new FileRounds(stage, options.Port == 0 ? 0 : options.Port + Nodes);
            using var end = new CancellationTokenSource();
            var writing = writes.RunAsync(end.Token);
            var violation = await RoundsAsync(stage, files, cancellation);
            await end.CancelAsync();
            await writing;
            if (violation is not null) await KeepAsync(cluster, backups);
            result = new MomentsResult
            {
                Began = began,
                Took = DateTime.UtcNow - began,
                Rounds = _rounds,
                Violation = violation,
                Durations = stage.Moments.Took,
                Acknowledged = writes.Acknowledged,
                Unknown = writes.Unknown,
                Read = _read,
                Compared = cluster.Compared,
                Started = files.Started,
                Largest = _largest,
            };
        }

        if (result.Violation is null) Directory.Delete(_folder, recursive: true);
        else await output.WriteLineAsync($"folders and logs are in {_folder}");
        return result;
    }

    /// <returns>What was seen that must not be; null if nothing was.</returns>
    private async Task<string?> RoundsAsync(Stage stage, FileRounds files, CancellationToken cancellation)
    {
        var (round, kind) = (0, default(MomentKind));
        try
        {
            // How long each takes without a fault.
            foreach (var first in _kinds.DistinctBy(k => k.Of()))
            {
                kind = first;
                await RoundAsync(stage, files, kind);
            }

            var end = DateTime.UtcNow + options.Time;
            for (round = 1; DateTime.UtcNow < end && !cancellation.IsCancellationRequested; round++)
            {
                kind = Draw();
                await RoundAsync(stage, files, kind);
            }

            return null;
        }
        catch (Exception e) when (e is MomentsViolationException or RecoverKvException)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"round {round} of seed {options.Seed}, {kind.Describe()}: {e.Message}");
        }
    }

    /// <summary>Each kind once, in random order, before any comes again.</summary>
    private MomentKind Draw()
    {
        if (_deck.Count == 0) _deck.AddRange(_kinds.OrderBy(_ => _random.Next()));
        var kind = _deck[^1];
        _deck.RemoveAt(_deck.Count - 1);
        return kind;
    }

    private async Task RoundAsync(Stage stage, FileRounds files, MomentKind kind)
    {
        var nodes = new NodeRounds(stage);
        stage.Well = default;
        var (detail, moment) = await (kind.Of() switch
        {
            Operation.Checkpoint => nodes.CheckpointAsync(kind),
            Operation.Compaction => nodes.CompactionAsync(kind),
            Operation.Transfer => nodes.TransferAsync(kind),
            Operation.Backup => files.BackupAsync(kind),
            _ => files.RestoreAsync(kind),
        });
        await stage.WellAsync();
        var well = stage.Well;
        var clock = Stopwatch.StartNew();
        await CheckAsync(stage);
        var when = moment?.ToString() ?? "measured";
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:HH:mm:ss} {kind}: {detail}; {when}; well after {well.TotalSeconds:F1} s, "
            + $"checked in {clock.Elapsed.TotalSeconds:F1} s"));
        if (moment is not null) _rounds.Add(new MomentsRound(kind, moment, well));
    }

    private async Task CheckAsync(Stage stage)
    {
        var (cluster, writes) = (stage.Cluster, stage.Writes);
        await writes.PauseAsync();
        try
        {
            var equal = await cluster.WaitAsync(
                s => cluster.IsWell(s) && s.Nodes.DistinctBy(n => (n.Applied, n.Digest)).Count() == 1, Stage.Patience);
            if (equal is null)
                throw new MomentsViolationException($"the replicas do not become equal: {stage.Describe()}");
            if (cluster.Differences is [var difference, ..]) throw new MomentsViolationException(difference);
            var wrong = await writes.WrongAsync(stage.Client, writes.Done(), writes.Called());
            if (wrong.Count > 0)
                throw new MomentsViolationException($"lost, or never written: {string.Join("; ", wrong.Take(5))}");
            _read += options.Keys;
        }
        finally
        {
            writes.GoOn();
        }

        foreach (var folder in cluster.Nodes.Select(n => Path.Combine(n.Folder, "data")))
        {
            string? left = null;
            await stage.UntilAsync(() => $"{left} is left behind", () => (left = LeftBehind.In(folder)) is null);
            _largest = Math.Max(_largest, LeftBehind.Size(folder));
        }

        if (_largest > MostBeside + 2 * MostOfKey * options.Keys)
            throw new MomentsViolationException($"a folder has {_largest >> 20} MiB");
    }

    /// <summary>The disks in memory go with the run; what is on them may explain a violation.</summary>
    private static async Task KeepAsync(ChaosCluster cluster, string backups)
    {
        foreach (var node in cluster.Nodes) await node.KillAsync();
        foreach (var folder in cluster.Nodes.Select(n => n.Folder).Append(backups))
            await Commands.TryAsync("cp", "-r", folder, folder + ".kept");
    }
}
