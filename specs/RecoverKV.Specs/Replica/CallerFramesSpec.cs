using Akka.Actor;
using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Replica;

/// <summary>Whatever a node has to say to a client at once, each of its messages fits the frame.</summary>
public sealed class CallerFramesSpec : IDisposable
{
    private const int Most = 32 * 1024;
    private static readonly ClusterView View = new(0, 3, "a", [new("a", "h", 1, true)], 10, 10);
    private readonly ActorSystem _system = ActorSystem.Create("caller-frames");
    private readonly Callers _callers = new(Most);

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task Answers_of_one_step_are_split_by_bytes_texts_and_number()
    {
        var text = new string('ä', 200);
        Assert.Equal(1000, await SentAsync(
            n => _callers.Answer(n, new WriteAnswer(7, 1, WriteStatus.Invalid, 0, [], text)), 1000));
        Assert.Equal(1000, await SentAsync(
            n => _callers.Answer(n, new ReadAnswer(7, ReadStatus.Invalid, [], 0, text)), 1000));
        Assert.Equal(100, await SentAsync(
            n => _callers.Answer(n, new WriteAnswer(7, 1, WriteStatus.Done, 9, [new Version(new byte[9000], 8)])),
            100));
        Assert.Equal(2, await SentAsync(
            n => _callers.Answer(n, new ReadAnswer(7, ReadStatus.Done, [new Version(new byte[Most], 8)])), 2));
        Assert.Equal(20_000, await SentAsync(
            n => _callers.Answer(n, new ReadAnswer(7, ReadStatus.NotAlive, [])), 20_000));
    }

    [Fact]
    public void A_page_whose_one_value_does_not_fit_is_an_error_that_says_so()
    {
        var page = new ScanReply(4, ReadStatus.Done, [new("k", new Version(new byte[Most], 8))], new byte[12]);
        var fits = page with { Items = [new("k", new Version(new byte[Most - 100], 8))] };

        Assert.Same(fits, _callers.Fit(fits));
        var refused = _callers.Fit(page);
        Assert.Equal((4, ReadStatus.Invalid), (refused.Id, refused.Status));
        Assert.Contains("recoverkv.frame-size", refused.Text, StringComparison.Ordinal);
    }

    /// <summary>How many answers a client got; each message fits, and the client takes it.</summary>
    private async Task<int> SentAsync(Action<Actors.Protocol.ICaller> answer, int times)
    {
        var got = 0;
        var all = new TaskCompletionSource();
        Action<object> take = message =>
        {
            try
            {
                var bytes = ClientCodec.Encode(message).ToArray();
                Assert.InRange(bytes.Length, 1, Most + 1024);
                var back = ClientCodec.Decode(ClientCodec.ManifestOf(message), bytes);
                got += back is WriteReplies writes ? writes.Answers.Count : ((ReadReplies)back).Answers.Count;
                if (got >= times) all.TrySetResult();
            }
            catch (Exception e)
            {
                all.TrySetException(e);
            }
        };
        var client = _system.ActorOf(Props.Create(() => new Client(take)));
        var caller = _callers.Of(client, TimeSpan.Zero);
        for (var i = 0; i < times; i++) answer(caller);
        _callers.Flush(() => View, ActorRefs.Nobody);
        await all.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return got;
    }

    private sealed class Client(Action<object> take) : UntypedActor
    {
        protected override void OnReceive(object message) => take(message);
    }
}
