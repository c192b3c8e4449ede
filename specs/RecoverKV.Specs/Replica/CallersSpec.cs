using Akka.Actor;
using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Replica;

/// <summary>What clients are told goes in messages within the frame, and not without end.</summary>
public sealed class CallersSpec
{
    private const int MessageBytes = 1000;

    private sealed class Client : MinimalActorRef
    {
        public List<object> Told { get; } = [];

        private static int _clients;

        // References of equal paths are equal.
        public override ActorPath Path { get; } = new RootActorPath(Address.AllSystems) / $"client{_clients++}";

        public override IActorRefProvider Provider => throw new NotSupportedException();

        protected override void TellInternal(object message, IActorRef sender) => Told.Add(message);
    }

    private static readonly Version Large = new(new byte[800], 7);

    private static ClusterView View() => new(0, 1, null, [], 1, 1);

    [Fact]
    public void The_answers_of_a_step_are_cut_into_messages()
    {
        var (client, callers) = (new Client(), new Callers(MessageBytes));
        var caller = callers.Of(client, TimeSpan.Zero);
        for (var i = 1; i <= 3; i++) callers.Answer(caller, new ReadAnswer(i, ReadStatus.Done, [Large]));
        callers.Flush(View, ActorRefs.Nobody);
        Assert.Equal([1L, 2L, 3L], client.Told.Cast<ReadReplies>().Select(r => Assert.Single(r.Answers).Id));
    }

    [Fact]
    public void What_does_not_fit_a_message_is_left_out_and_that_is_said()
    {
        var (client, callers) = (new Client(), new Callers(MessageBytes));
        var caller = callers.Of(client, TimeSpan.Zero);
        callers.Answer(caller, new WriteAnswer(1, 2, WriteStatus.Done, 3, [Large, Large]));
        callers.Answer(caller, new ReadAnswer(4, ReadStatus.Done, [Large, Large]));
        callers.Flush(View, ActorRefs.Nobody);
        var write = Assert.Single(client.Told.OfType<WriteReplies>().Single().Answers);
        Assert.Equal(
            (WriteStatus.Done, 3L, 0, true), (write.Status, write.Uid, write.Previous.Count, write.PreviousOmitted));
        Assert.Equal(ReadStatus.Invalid, Assert.Single(client.Told.OfType<ReadReplies>().Single().Answers).Status);
    }

    [Fact]
    public void A_step_tells_a_client_no_more_than_its_bound_and_to_ask_again_for_the_rest()
    {
        var (client, callers) = (new Client(), new Callers(4 * 1024 * 1024));
        var version = new Version(new byte[1024 * 1024], 7);
        var caller = callers.Of(client, TimeSpan.Zero);
        for (var step = 1; step <= 2; step++)
        {
            client.Told.Clear();
            // Slices of one value: what would be large are the messages.
            for (var i = 1; i <= 100; i++) callers.Answer(caller, new ReadAnswer(i, ReadStatus.Done, [version]));
            callers.Flush(View, ActorRefs.Nobody);
            var answers = client.Told.Cast<ReadReplies>().SelectMany(r => r.Answers).ToArray();
            Assert.Equal(100, answers.Length);
            Assert.Equal(7, answers.Count(a => a.Status == ReadStatus.Done));
            Assert.Equal(93, answers.Count(a => a is { Status: ReadStatus.Busy, Versions.Count: 0 }));
        }
    }

    [Fact]
    public void No_more_clients_are_known_than_a_bound()
    {
        var callers = new Callers(MessageBytes);
        var client = new Client();
        var first = callers.Of(client, TimeSpan.Zero);
        Assert.Same(first, callers.Of(client, TimeSpan.Zero));
        for (var i = 0; i < 10_000; i++) callers.Of(new Client(), TimeSpan.Zero);
        // It was forgotten, and its answer finds it nevertheless.
        Assert.NotSame(first, callers.Of(client, TimeSpan.Zero));
        callers.Answer(first, new ReadAnswer(1, ReadStatus.Done, []));
        callers.Flush(View, ActorRefs.Nobody);
        Assert.Single(client.Told);
    }
}
