using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Chaos.Network;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos.Moments;

/// <summary>Backups, and what is restored of them.</summary>
/// <param name="stage">The nodes, and who writes.</param>
/// <param name="port">Of the node of a restored store; 0: any that is free.</param>
internal sealed partial class FileRounds(Stage stage, int port)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private readonly string _file = Path.Combine(stage.Backups, "store.rkv");
    private readonly string _target = Path.Combine(stage.Backups, "restored");

    // What the backup must have at least, and may have at most.
    private long[]? _least, _most;
    private string _digest = "";
    private int _restored;

    /// <summary>How often a node was started from a backup, and had all of it.</summary>
    public int Started { get; private set; }

    /// <summary>A backup: a whole file, or none; and behind the next one nothing is left of it.</summary>
    public async Task<(string Detail, Moment? Moment)> BackupAsync(MomentKind kind)
    {
        var node = stage.AnyNode();
        await stage.CheckpointAsync(node);
        DeleteBackup();
        var least = stage.Writes.Done();
        using var command = Begin("--node", node.Name);
        var end = Stage.EndAsync(command);
        var moment = await stage.Moments.ReachAsync(Operation.Backup, end);
        if (moment is not null) await ComeAsync(kind, command, node);
        var (code, said) = await end;
        if (moment is null && code != 0)
            throw new MomentsViolationException($"a backup that nothing came at ended with {code}: {said}");
        if (code == 0 && !File.Exists(_file))
            throw new MomentsViolationException("the backup ended with 0, but there is no file");
        if (kind != MomentKind.BackupKilled) CheckNothingElse();
        await stage.WellAsync();
        if (File.Exists(_file)) (_least, _most) = (least, stage.Writes.Called());
        else await MakeBackupAsync();
        _digest = await VerifyAsync();
        CheckNothingElse();
        return (kind == MomentKind.BackedUpNodeKilled ? node.Name : $"of {node.Name}", moment);
    }

    /// <summary>A restore: what it has begun is no obstacle, or it says what to remove.</summary>
    public async Task<(string Detail, Moment? Moment)> RestoreAsync(MomentKind kind)
    {
        if (!File.Exists(_file))
        {
            await MakeBackupAsync();
            _digest = await VerifyAsync();
        }

        using var command = Stage.Begin("restore", _file, _target);
        var end = Stage.EndAsync(command);
        var moment = await stage.Moments.ReachAsync(Operation.Restore, end);
        if (moment is not null) await ComeAsync(kind, command, null);
        var (code, said) = await end;
        if (moment is null && code != 0)
            throw new MomentsViolationException($"a restore that nothing came at ended with {code}: {said}");
        var detail = code == 0 ? "it had ended"
            : kind == MomentKind.RestoreFull ? AfterFailure(said) : await RepeatAsync();
        if (code != 0 && kind == MomentKind.RestoreFull) await RunAsync("restore", _file, _target);
        CheckRestored();
        Directory.Delete(_target, recursive: true);
        if (await VerifyAsync() != _digest)
            throw new MomentsViolationException("the backup is another one after it was restored");
        if (_restored++ % 2 == 0) await StartAsync();
        return (detail, moment);
    }

    private Process Begin(params string[] more) =>
        Stage.Begin(["backup", _file, "--contact", string.Join(',', stage.Cluster.Contacts), .. more]);

    private async Task ComeAsync(MomentKind kind, Process command, ChaosNode? node)
    {
        if (kind.FillsDisk()) await stage.FillAsync(stage.Backups);
        else if (kind == MomentKind.BackedUpNodeKilled) await stage.KillAsync(node!);
        else if (!command.HasExited) Signals.Send(command.Id, Signals.Kill);
    }

    private void DeleteBackup()
    {
        File.Delete(_file);
        (_least, _most) = (null, null);
    }

    // A node that was asked for one that was broken off gives it for some seconds.
    private async Task MakeBackupAsync()
    {
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(Pause))
        {
            _least = stage.Writes.Done();
            using var command = Begin();
            var (code, said) = await Stage.EndAsync(command);
            _most = stage.Writes.Called();
            if (code == 0) return;
            if (clock.Elapsed > Stage.Patience) throw new MomentsViolationException($"no backup can be made: {said}");
        }
    }

    /// <summary>Its digest.</summary>
    private async Task<string> VerifyAsync() => Digest().Match(await RunAsync("verify", _file)).Groups[1].Value;

    private async Task<string> RunAsync(params string[] arguments)
    {
        using var command = Stage.Begin(arguments);
        var (code, said) = await Stage.EndAsync(command);
        return code == 0 ? said
            : throw new MomentsViolationException($"`{string.Join(' ', arguments)}` ended with {code}: {said}");
    }

    private void CheckNothingElse()
    {
        var others = Directory.EnumerateFileSystemEntries(stage.Backups).Where(f => f != _file).ToArray();
        if (others.Length > 0)
            throw new MomentsViolationException($"a backup left behind: {string.Join(", ", others)}");
    }

    // One that failed has undone what it did.
    private string AfterFailure(string said)
    {
        var left = Directory.Exists(_target) ? Directory.GetFileSystemEntries(_target) : [];
        return left.Length == 0 ? "it failed"
            : throw new MomentsViolationException($"a restore that failed ({said}) left {string.Join(", ", left)}");
    }

    // One that was killed may have left folders: what the next one names goes.
    private async Task<string> RepeatAsync()
    {
        for (var removed = 0; ; removed++)
        {
            using var command = Stage.Begin("restore", _file, _target);
            var (code, said) = await Stage.EndAsync(command);
            if (code == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{removed} folders removed, repeated");
            string[] folders = Directory.Exists(_target) ? Directory.GetDirectories(_target) : [];
            var named = folders.FirstOrDefault(d => said.Contains(d + " ", StringComparison.Ordinal))
                ?? throw new MomentsViolationException($"a restore cannot be repeated, and does not say why: {said}");
            Directory.Delete(named, recursive: true);
        }
    }

    private void CheckRestored()
    {
        var found = Directory.GetFileSystemEntries(_target).Select(Path.GetFileName).Order().ToArray();
        if (!found.SequenceEqual(["node1", "node2", "node3"]))
            throw new MomentsViolationException($"a restore left {string.Join(", ", found)}");
        foreach (var folder in Directory.GetDirectories(_target))
        {
            if (LeftBehind.In(folder) is { } what) throw new MomentsViolationException($"a restore left {what}");
        }
    }

    /// <summary>A node of a store of its own has all that was acknowledged before the backup, and nothing that was
    /// called after it.</summary>
    private async Task StartAsync()
    {
        var single = Path.Combine(stage.Backups, "single");
        await RunAsync("restore", _file, single, "--nodes", "node1");
        await using var network = new LoopbackNetwork(1, port);
        var address = string.Create(CultureInfo.InvariantCulture, $"{network.Host(1)}:{network.Port(1)}");
        using (var node = new ChaosNode(1, single, network, new Preloads(null, null)))
        {
            await File.WriteAllTextAsync(node.ConfigFile, $$"""
                recoverkv {
                  node = node1
                  members = ["node1@{{address}}"]
                  data = "{{Path.Combine(single, "node1")}}"
                }

                """);
            node.Start();
            await using var client = await RecoverKvClient.ConnectAsync(
                [address], new RecoverKvClientOptions { ConnectTimeout = Stage.Patience });
            NodeStatus status;
            for (var clock = Stopwatch.StartNew(); ; await Task.Delay(Pause))
            {
                status = (await client.GetStatusAsync()).Nodes[0];
                if (status.Mode == NodeMode.Alive) break;
                if (clock.Elapsed > Stage.Patience)
                    throw new MomentsViolationException($"a restored node is {status.Mode}: {status.Reason}");
            }

            if (status.Digest.ToString("x16", CultureInfo.InvariantCulture) is var digest && digest != _digest)
                throw new MomentsViolationException($"a restored node has the digest {digest}, its backup {_digest}");
            var wrong = await stage.Writes.WrongAsync(client, _least!, _most!);
            if (wrong.Count > 0)
                throw new MomentsViolationException($"a restored node is wrong: {string.Join("; ", wrong.Take(5))}");
            await node.KillAsync();
        }

        foreach (var file in Directory.GetFiles(stage.Backups, "single.*")) File.Delete(file);
        Directory.Delete(single, recursive: true);
        Started++;
    }

    [GeneratedRegex("digest ([0-9a-f]{16})")]
    private static partial Regex Digest();
}
