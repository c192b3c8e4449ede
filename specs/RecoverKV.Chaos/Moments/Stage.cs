using System.Diagnostics;
using System.Globalization;
using RecoverKV.Chaos.Cluster;
using RecoverKV.Client;

namespace RecoverKV.Chaos.Moments;

/// <summary>What all rounds need: the nodes, a client, who writes, the moments.</summary>
internal sealed class Stage(
    ChaosCluster cluster, RecoverKvClient client, NumberedWrites writes, MomentClock moments, Random random,
    string backups)
{
    /// <summary>Within this time everything that was begun has ended, and all nodes are ALIVE.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);
    private long _healed;

    public ChaosCluster Cluster => cluster;

    public RecoverKvClient Client => client;

    public NumberedWrites Writes => writes;

    public MomentClock Moments => moments;

    public Random Random => random;

    /// <summary>Where backups and what is restored of them go: a disk of its own.</summary>
    public string Backups => backups;

    /// <summary>From when what came to a node was over, to when all were ALIVE; zero at the begin of a round.</summary>
    public TimeSpan Well { get; set; }

    /// <summary>Any node.</summary>
    public ChaosNode AnyNode() => cluster.Nodes[random.Next(cluster.Nodes.Count)];

    /// <summary>How long a disk stays full.</summary>
    private TimeSpan AnyHold() => TimeSpan.FromSeconds(1 + 3 * random.NextDouble());

    /// <summary>Waits until all nodes are ALIVE.</summary>
    public async Task WellAsync()
    {
        if (await cluster.WaitAsync(cluster.IsWell, Patience) is not null)
        {
            if (_healed != 0) Well = Stopwatch.GetElapsedTime(_healed);
            _healed = 0;
            return;
        }

        ThrowIfEnded();
        throw new MomentsViolationException(
            $"not all nodes were ALIVE within {Patience.TotalSeconds:F0} s: {Describe()}");
    }

    /// <summary>A node that is killed and started at once.</summary>
    public async Task KillAsync(ChaosNode node)
    {
        await node.KillAsync();
        node.Start();
        _healed = Stopwatch.GetTimestamp();
    }

    /// <summary>A disk that is full for some seconds.</summary>
    public async Task FillAsync(string folder)
    {
        Disks.Shrink(folder);
        await Task.Delay(AnyHold());
        Disks.Widen(folder);
        _healed = Stopwatch.GetTimestamp();
    }

    /// <summary>Waits until something is so; else that is said.</summary>
    public async Task UntilAsync(Func<string> otherwise, Func<bool> isSo)
    {
        for (var clock = Stopwatch.StartNew(); !isSo(); await Task.Delay(Poll))
        {
            ThrowIfEnded();
            if (clock.Elapsed > Patience)
                throw new MomentsViolationException($"after {Patience.TotalSeconds:F0} s {otherwise()}: {Describe()}");
        }
    }

    /// <summary>Orders a checkpoint, and waits for the answer.</summary>
    /// <returns>Why the node refused; null if the checkpoint is there.</returns>
    public async Task<string?> OrderAsync(ChaosNode node)
    {
        try
        {
            await client.CheckpointAsync(node.Name).WaitAsync(Patience);
            return null;
        }
        catch (NotDoneException e)
        {
            return e.Message;
        }
        catch (TimeoutException)
        {
            throw new MomentsViolationException(
                $"{node.Name} did not answer an order for a checkpoint in {Patience.TotalSeconds:F0} s: {Describe()}");
        }
    }

    /// <summary>A node that has just written a checkpoint. Who gives its checkpoint to somebody writes none until it is
    /// started anew.</summary>
    public async Task CheckpointAsync(ChaosNode node)
    {
        if (await OrderAsync(node) is not { } refusal) return;
        if (!refusal.Contains("takes the checkpoint that there is", StringComparison.Ordinal))
            throw new MomentsViolationException($"{node.Name} wrote no checkpoint: {refusal}");
        await KillAsync(node);
        await WellAsync();
        Well = default;
        if (await OrderAsync(node) is { } why)
            throw new MomentsViolationException($"{node.Name} wrote no checkpoint: {why}");
    }

    /// <summary>A command of the program, under way.</summary>
    public static Process Begin(params string[] arguments) =>
        Process.Start(Commands.Of(Commands.Program("recoverkv", arguments)))!;

    /// <summary>The end of a command.</summary>
    /// <returns>Its code, and all that it said.</returns>
    public static async Task<(int Code, string Output)> EndAsync(Process command)
    {
        command.StandardInput.Close();
        var output = command.StandardOutput.ReadToEndAsync();
        var error = command.StandardError.ReadToEndAsync();
        try
        {
            await command.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Signals.Send(command.Id, Signals.Kill);
            var what = string.Join(' ', command.StartInfo.ArgumentList.Skip(1));
            throw new MomentsViolationException($"`{what}` did not end within {Patience.TotalSeconds:F0} s");
        }

        return (command.ExitCode, (await output + await error).Trim());
    }

    /// <summary>What the nodes said last.</summary>
    public string Describe() => string.Join(", ", cluster.Last.Nodes.Select(n => string.Create(
        CultureInfo.InvariantCulture,
        $"{n.Node} {n.Mode} epoch {n.Epoch} applied {n.Applied} digest {n.Digest:x16} {n.Reason}")));

    private void ThrowIfEnded()
    {
        if (cluster.Nodes.FirstOrDefault(n => n.OwnExit is not null) is { } node)
            throw new MomentsViolationException(
                $"{node.Name} ended by itself with code {node.OwnExit}: {node.LastError}");
    }
}
