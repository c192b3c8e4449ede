using RecoverKV.Client;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;
using RecoverKV.Client.Writes;

namespace RecoverKV.Specs.Client;

/// <summary>The pipelines of a client without a network: a clock that is set, and a list of what was sent.</summary>
internal sealed class PipelineHarness
{
    internal const long Deadline = 10_000;

    private readonly ClientCore _core;

    /// <summary>How long a call may last.</summary>
    internal long Patience { get; init; } = Deadline;

    internal PipelineHarness(int seed = 1)
    {
        var random = new Random(seed);
        _core = new ClientCore(Take, () => Now, random, work => Later(work));
        Send = (to, message) => Sent.Add((to.Node, message));
        Map.Offer(View(1, "a"), null);
    }

    private void Take(NodeRoute to, IClientMessage message)
    {
        if (message is ClusterViewRequest) Questions.Add(message);
        else Send(to, message);
    }

    /// <summary>What the thread pool does; at once if not said otherwise.</summary>
    internal Action<IThreadPoolWorkItem> Later { get; init; } = work => work.Execute();

    internal long Now { get; set; } = 1_000;

    internal ClusterMap Map => _core.Map;

    internal WritePipeline Writes => _core.Writes;

    internal ReadPipeline Reads => _core.Reads;

    internal Action<NodeRoute, IClientMessage> Send { get; set; }

    internal List<(string To, IClientMessage Message)> Sent { get; } = [];

    internal List<IClientMessage> Questions { get; } = [];

    /// <summary>Every request sent so far, with where it went.</summary>
    internal List<(string To, WriteRequest Request)> Requests =>
        [.. Sent.Where(s => s.Message is WriteBatch)
            .SelectMany(s => ((WriteBatch)s.Message).Requests.Select(r => (s.To, r)))];

    /// <summary>Every read sent so far, with where it went.</summary>
    internal List<(string To, Read Read)> SentReads =>
        [.. Sent.Where(s => s.Message is ReadBatch)
            .SelectMany(s => ((ReadBatch)s.Message).Reads.Select(r => (s.To, r)))];

    internal static ClusterView View(long epoch, string? sequencer, params string[] inSync) => new(
        0, epoch, sequencer,
        [.. new[] { "a", "b", "c" }.Select((node, i) =>
            new NodeAddress(node, "127.0.0.1", 5001 + i, inSync.Length == 0 || inSync.Contains(node)))],
        1024, 1024 * 1024);

    internal Task<WriteResult> Put(string key, string value = "v", CancellationToken cancellation = default) =>
        Write(cancellation, new WriteOperation(OperationKind.Put, key, System.Text.Encoding.UTF8.GetBytes(value)));

    internal Task<WriteResult> Write(CancellationToken cancellation, params WriteOperation[] operations) =>
        Writes.Submit(
            operations, false, operations.Sum(o => o.Key.Length + o.Value.Length + 32), Now + Patience, cancellation);

    internal Task<GetResult> Get(string key, CancellationToken cancellation = default)
    {
        var read = new PendingRead<GetResult>(
            [key], ReadConsistency.Linearizable, Now + Patience,
            answer => new GetResult(answer.Versions[0], TimeSpan.Zero));
        read.CancelWith(cancellation);
        Reads.Submit(read);
        return read.Task;
    }

    /// <summary>Sends as many messages of writes as may be without an answer: what comes then waits.</summary>
    internal List<Task<WriteResult>> FillTheAir()
    {
        var sent = new List<Task<WriteResult>>();
        while (Sent.Count < Timing.Flights) sent.Add(Put($"k{sent.Count}"));
        return sent;
    }

    /// <summary>Opens session 7 by a first write, which is answered too.</summary>
    internal async Task OpenSessionAsync()
    {
        var first = Put("first");
        Answer(0, Requests[0].Request.Number, WriteStatus.Done, uid: 7);
        Answer(7, 1, WriteStatus.Done, uid: 8);
        await first;
        Sent.Clear();
    }

    internal void Answer(
        long session, long number, WriteStatus status, long uid = 1, ClusterView? view = null, string? from = null)
    {
        var node = from is null ? null : Map.Find(from);
        Map.Offer(view, node);
        node?.Heard(Now);
        Writes.Receive(new WriteReplies([new WriteAnswer(session, number, status, uid, [null])], view), node);
    }

    internal void AnswerRead(long id, ReadStatus status, string value = "v", string? from = null)
    {
        var node = from is null ? null : Map.Find(from);
        node?.Heard(Now);
        var version = new RecoverKV.Client.Contracts.Version(System.Text.Encoding.UTF8.GetBytes(value), 1);
        Reads.Receive(new ReadReplies([new ReadAnswer(id, status, status == ReadStatus.Done ? [version] : [])]), node);
    }

    /// <summary>The node answers the last question, which went behind all that was sent to it.</summary>
    internal void Reached(string node)
    {
        Map.Find(node)!.Heard(Now);
        Map.Find(node)!.Answered(((ClusterViewRequest)Questions[^1]).Id, Now);
    }

    /// <summary>The connection to a node breaks, and there is a new one at once.</summary>
    internal void Reconnect(string node)
    {
        Map.Find(node)!.Lost();
        Map.Find(node)!.Heard(Now);
        Pass(Timing.Sweep);
    }

    /// <summary>A call must have ended, and with this exception.</summary>
    internal static TException Failed<TException>(Task call) where TException : Exception
    {
        Assert.True(call.IsCompleted, "The call is still open.");
        return Assert.IsType<TException>(call.Exception?.InnerException);
    }

    /// <summary>Lets time pass, with a sweep every 20 ms as in a running client.</summary>
    internal void Pass(long milliseconds)
    {
        for (var end = Now + milliseconds; Now < end;)
        {
            Now = Math.Min(end, Now + Timing.Sweep);
            _core.Sweep();
        }
    }
}
