using System.Diagnostics;
using System.Globalization;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Chaos.Faults;

/// <summary>
/// Puts the folder of another store in the place of a node's: one of the same node id, made by a node that knew no
/// other member, and written to. The others must not be disturbed, and nobody may take it for the node's.
/// </summary>
internal sealed class ForeignFolder(ChaosCluster cluster, ChaosNode node)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _data = Path.Combine(node.Folder, "data");
    private string? _seen;

    private string Kept => _data + ".own";

    public async Task PutAsync()
    {
        await node.KillAsync();
        Directory.Move(_data, Kept);
        await MakeAsync();
        cluster.Foreign = node.Name;
        node.Start();
        if (await ReachedAsync(() => cluster.Nodes.Where(n => n != node).All(n => Mode(n) == NodeMode.Alive))) return;
        _seen = $"the others were not ALIVE within {Patience.TotalSeconds:F0} s "
            + $"beside {node.Name} with the folder of another store";
    }

    /// <summary>Puts the node's own folder back.</summary>
    /// <returns>What was seen that must not be.</returns>
    public async Task<string?> RemoveAsync()
    {
        if (_seen is null && node.IsRunning && Mode(node) == NodeMode.Alive)
            _seen = $"{node.Name} was ALIVE with the folder of another store";
        await node.KillAsync();
        if (!Directory.Exists(Kept)) return _seen;
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
        Directory.Move(Kept, _data);
        node.Start();
        await ReachedAsync(() => Mode(node) == NodeMode.Alive);
        cluster.Foreign = null;
        return _seen;
    }

    private NodeMode? Mode(ChaosNode of) => cluster.Last.Nodes.FirstOrDefault(n => n.Node == of.Name)?.Mode;

    private static async Task<bool> ReachedAsync(Func<bool> state)
    {
        // What is known is up to some tenths of a second old.
        await Task.Delay(1000);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; await Task.Delay(50))
        {
            if (state()) return true;
        }

        return false;
    }

    /// <summary>On another port: the nodes of this store would talk to it.</summary>
    private async Task MakeAsync()
    {
        var address = string.Create(CultureInfo.InvariantCulture,
            $"{cluster.Network.Host(node.Number)}:{Math.Abs(cluster.Network.Port(node.Number) - 30_000) + 1024}");
        var config = node.Folder + ".foreign.conf";
        await File.WriteAllTextAsync(config,
            $$"""
            recoverkv {
              node = {{node.Name}}
              members = ["{{node.Name}}@{{address}}"]
              data = "{{_data}}"
              {{cluster.TlsOf(node)}}
            }

            """);
        using var maker = Process.Start(Commands.Of(cluster.Network.AtNode(
            node.Number, Commands.Program("recoverkv", "node", "--config", config, "--stop-with-stdin"))))!;
        maker.OutputDataReceived += (_, _) => { };
        maker.ErrorDataReceived += (_, _) => { };
        maker.BeginOutputReadLine();
        maker.BeginErrorReadLine();
        for (var i = 1; i <= 3; i++)
        {
            await Commands.RunAsync(cluster.Network.AtNode(node.Number, Commands.Program(
                "recoverkv", "put", $"foreign{i}", "x", "--contact", address, "--timeout", "20")));
        }

        maker.StandardInput.Close();
        await maker.WaitForExitAsync();
    }
}
