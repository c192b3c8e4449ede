using Akka.Actor;
using Akka.Configuration;
using RecoverKV.Actors;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Replica;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>A configured node of a <see cref="TestCluster"/>, running or not.</summary>
internal sealed class TestNode(string name, int port, string data, Config config)
{
    private RecoverKvNode? _running;

    public string Name => name;

    public string Host => "127.0.0.1";

    public int Port => port;

    public string Data => data;

    public bool IsRunning => _running != null;

    /// <summary>What it was last started from; a spec can tell a node that was started again by it.</summary>
    public RecoverKvNode? Run => _running;

    /// <summary>How its run ended, if it ended of its own accord.</summary>
    public string? EndedBy => _running is not { Completion.IsCompleted: true } ended
        ? null
        : ended.Completion.Exception?.GetBaseException().Message ?? "ended";

    public ActorSystem System => _running?.System ?? throw new InvalidOperationException($"{name} does not run");

    public async Task StartAsync(Config? extra = null)
    {
        Assert.False(IsRunning, $"{name} runs already");
        _running = await RecoverKvNode.StartAsync(extra is null ? config : extra.WithFallback(config));
    }

    /// <summary>Ends it without a word to the others.</summary>
    public async Task CrashAsync()
    {
        if (_running is not { } running) return;
        _running = null;
        await running.DisposeAsync();
        // What it failed with is of no interest any more, but must have been looked at.
        _ = running.Completion.Exception;
    }

    /// <summary>It leaves in good order (R8).</summary>
    public async Task LeaveAsync()
    {
        var running = _running!;
        _running = null;
        await running.LeaveAsync();
    }

    /// <summary>How many uids it has asked its peers for since its replica started (R6).</summary>
    public async Task<long> FetchedUidsAsync()
    {
        var answer = await System.ActorSelection(ReplicaActor.Path)
            .Ask<ReplicaActor.Inspection>(ReplicaActor.Inspect.Instance, TestCluster.Patience);
        return answer.FetchedUids;
    }

    /// <summary>What it is called in <see cref="MemoryLogger"/>.</summary>
    public string Log => $"{name}@{port}";
}
