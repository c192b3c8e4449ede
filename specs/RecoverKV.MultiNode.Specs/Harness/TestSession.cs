using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>A session (R9) that writes through given nodes, with retries until there is a final answer.
/// Thread-safe.</summary>
internal sealed class TestSession
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private readonly TestCluster _cluster;
    private long _lastNumber;
    private volatile string? _answered;

    private TestSession(TestCluster cluster) => _cluster = cluster;

    public long Id { get; private init; }

    /// <summary>Opens a session.</summary>
    public static async Task<TestSession> OpenAsync(TestCluster cluster, IReadOnlyList<TestNode>? via = null)
    {
        var request = WriteRequestCodec.Create(0, Random.Shared.NextInt64(1, long.MaxValue), 0, []);
        var opened = await new TestSession(cluster).SendAsync(request, via);
        Assert.Equal(WriteStatus.Done, opened.Status);
        return new TestSession(cluster) { Id = opened.Uid };
    }

    /// <summary>The next request of this session.</summary>
    public WriteRequest Next(params WriteOperation[] operations) =>
        WriteRequestCodec.Create(Id, Interlocked.Increment(ref _lastNumber), 1, operations, returnPrevious: true);

    /// <summary>Writes to a key of its own and keeps the ledger.</summary>
    public async Task<long> PutAsync(Key key, byte[] value, IReadOnlyList<TestNode>? via = null)
    {
        _cluster.Ledger.Attempt(key, value);
        var answer = await SendAsync(Next(new WriteOperation(OperationKind.Put, key, value)), via);
        Assert.Equal(WriteStatus.Done, answer.Status);
        _cluster.Ledger.Acknowledge(key, answer.Uid);
        return answer.Uid;
    }

    public Task<WriteAnswer> WriteAsync(params WriteOperation[] operations) => SendAsync(Next(operations));

    /// <summary>Sends a request to one of the nodes after the other (null: all), where hints point first, until one of
    /// them has an answer that is final.</summary>
    public async Task<WriteAnswer> SendAsync(WriteRequest request, IReadOnlyList<TestNode>? via = null)
    {
        var nodes = via ?? _cluster.Nodes;
        // Who had the last answer; a node that is down would be waited for.
        var hint = _answered;
        WriteAnswer? last = null;
        var patience = new Deadline();
        for (var i = 0; !patience.IsOver; i++)
        {
            var node = nodes.FirstOrDefault(n => n.Name == hint) ?? nodes[i % nodes.Count];
            var reply = node.IsRunning ? await _cluster.Client.WriteAsync(node, request) : null;
            if (reply is { } answered)
            {
                last = answered.Answer;
                if (last.Status is not (WriteStatus.NotSequencer or WriteStatus.Busy))
                {
                    _answered = node.Name;
                    return last;
                }
            }

            // Without an answer the hint may be the reason.
            hint = reply?.View?.Sequencer;
            if (hint == null || hint == node.Name || last?.Status == WriteStatus.Busy) await Task.Delay(Pause);
        }

        throw await _cluster.FailureAsync(
            $"the write {request.Session}/{request.Number} through "
            + $"{string.Join(' ', nodes.Select(n => n.Name))} has no "
            + $"final answer (the last was {last?.Status.ToString() ?? "none"})");
    }
}
