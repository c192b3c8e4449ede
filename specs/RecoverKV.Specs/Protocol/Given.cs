using System.Text;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Protocol;

/// <summary>The words of the specs: nodes, views, requests, and the effects to expect.</summary>
internal static class Given
{
    public static Caller Ann => new("Ann");
    public static Caller Bob => new("Bob");

    public static Epoch E(long epoch) => new(epoch);

    public static Uid U(long uid) => new(uid);

    public static UidRange Range(long first, long last) => new(U(first), U(last));

    public static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    public static NodeId Node(int node) => new($"n{node}");

    public static MemberId Member(int node, int incarnation = 0) =>
        new(Node(node), new Guid(node, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)incarnation));

    /// <summary>A view of n1 .. n<paramref name="of"/>; the history lists epochs with their first uids, its own
    /// last.</summary>
    public static View View(
        long epoch, int sequencer, int of, int[] inSync, params (long Epoch, long First)[] history) => new()
        {
            Epoch = E(epoch),
            Sequencer = Node(sequencer),
            Members = [.. Enumerable.Range(1, of).Select(n => Member(n))],
            InSync = [.. inSync.Select(Node)],
            FirstUid = U(history[^1].First),
            History = [.. history.Select(h => new Tenure(E(h.Epoch), U(h.First)))],
            Lease = TimeSpan.FromSeconds(1),
            FrameSize = 4 * 1024 * 1024,
        };

    /// <summary>View 1 of three nodes, led by n1 from uid 1 on, all in-sync unless said otherwise.</summary>
    public static View View1(params int[] inSync) => View(1, 1, 3, inSync.Length > 0 ? inSync : [1, 2, 3], (1, 1));

    /// <summary>
    /// The request that specs have at a uid: the first opens session 1, the others store the value vN under the key kN
    /// in it, as request number N.
    /// </summary>
    public static WriteRequest R(long uid) => uid == 1
        ? WriteRequestCodec.Create(0, 1, 0, [])
        : WriteRequestCodec.Create(1, uid, 0, [Put($"k{uid}", $"v{uid}")]);

    public static WriteRequest[] Rs(long first, long last) =>
        [.. Enumerable.Range((int)first, (int)(last - first + 1)).Select(u => R(u))];

    public static WriteOperation Put(string key, string value, long? expected = null) =>
        new(OperationKind.Put, key, Encoding.UTF8.GetBytes(value), expected);

    public static WriteRequest Write(long session, long number, params WriteOperation[] operations) =>
        WriteRequestCodec.Create(session, number, 0, operations);

    /// <summary>A write whose answer shall have the versions before it.</summary>
    public static WriteRequest Ask(long session, long number, params WriteOperation[] operations) =>
        WriteRequestCodec.Create(session, number, 0, operations, returnPrevious: true);

    /// <summary>The entries first..last of an epoch, with the requests of <see cref="R"/>.</summary>
    public static Batch Batch(long epoch, long first, long last) => new(E(epoch), U(first), Rs(first, last));

    /// <summary>The journal of a replica that accepted a view and holds some batches of it.</summary>
    public static Fact[] Journal(View view, params Batch[] batches) =>
        [new ViewAccepted(view, [], U(0)), .. batches.Select(b => new EntriesAppended(b, U(0)))];

    public static Append Append(long epoch, long first, long last, long committed = 0) =>
        new(E(epoch), Batch(epoch, first, last), U(committed));

    public static Appended Appended(long epoch, long contiguous, long? highest = null) =>
        new(E(epoch), U(contiguous), U(highest ?? contiguous));

    public static Heartbeat Beat(long epoch, long round = 1, long committed = 0) =>
        new(E(epoch), round, U(committed), 0, TimeSpan.Zero);

    /// <summary>R11: with which all of the data is compared.</summary>
    public static Heartbeat OfAll(this Heartbeat beat) => beat with { Slice = new StateSlice(default, default) };

    /// <summary>A heartbeat that echoes a clock reading of the receiver.</summary>
    public static Heartbeat Beat(
        long epoch, TimeSpan echo, long committed = 0, long run = CoreKit.Run, long round = 1) =>
        new(E(epoch), round, U(committed), run, echo);

    /// <summary>What a member acknowledges a heartbeat with.</summary>
    public static HeartbeatAck Ack(CoreKit kit, long epoch, long round, long contiguous, long? highest = null) =>
        new(E(epoch), round, CoreKit.Run, kit.Now, U(contiguous), U(highest ?? contiguous));

    public static Promise Promise(long epoch, View view, long contiguous, long committed) =>
        new(E(epoch), view, U(contiguous), U(committed));

    // ---- Effects

    public static Effect To(int node, PeerMessage message) => new Effect.Send(Node(node), message);

    /// <summary>A fact to journal; its number is checked by the kit.</summary>
    public static Effect Journals(Fact fact) => new Effect.Journal(0, fact);

    public static Effect Journals(Batch batch, long committed) => Journals(new EntriesAppended(batch, U(committed)));

    /// <summary>The answer Done to the request of <see cref="R"/>.</summary>
    public static Effect Answers(Caller caller, long uid, long? at = null) => new Effect.AnswerWrite(
        caller, new WriteAnswer(R(uid).Session, R(uid).Number, WriteStatus.Done, at ?? uid, []));

    public static Effect Refuses(Caller caller, WriteRequest request, WriteStatus status, string? text = null) =>
        new Effect.AnswerWrite(caller, new WriteAnswer(request.Session, request.Number, status, 0, [], text));

    public static Effect Answers(Caller caller, Read read, long age, params Version?[] versions) =>
        new Effect.AnswerRead(caller, new ReadAnswer(read.Id, ReadStatus.Done, versions, age));

    /// <summary>The answer to a read of one key by
    /// <see cref="CoreKit.Read(Caller, string, long, ReadConsistency)"/>.</summary>
    public static Effect Reads(Caller caller, Version? version, long id = 1, long age = 0) =>
        new Effect.AnswerRead(caller, new ReadAnswer(id, ReadStatus.Done, [version], age));

    public static Effect RefusesRead(Caller caller, long id = 1, ReadStatus status = ReadStatus.NotAlive) =>
        new Effect.AnswerRead(caller, new ReadAnswer(id, status, []));

    public static Version V(long uid) => new(Encoding.UTF8.GetBytes($"v{uid}"), uid);

    public static Version V(string value, long uid) => new(Encoding.UTF8.GetBytes(value), uid);

    /// <summary>The effects were exactly these, in this order.</summary>
    public static void Exactly(this Effect[] effects, params Effect[] expected) =>
        Assert.Equal(Lines(expected), Lines(effects));

    public static void Nothing(this Effect[] effects) => Exactly(effects);

    public static PeerMessage[] SentTo(this Effect[] effects, int node) =>
        [.. effects.OfType<Effect.Send>().Where(s => s.To == Node(node)).Select(s => s.Message)];

    public static bool Sends<T>(Effect effect) where T : PeerMessage => effect is Effect.Send { Message: T };

    private static string Lines(Effect[] effects) => string.Join("\n", effects.Select(e => e is Effect.Journal journal
        ? $"Journal {Text.Of(journal.Fact)}"
        : Text.Of(e)));
}
