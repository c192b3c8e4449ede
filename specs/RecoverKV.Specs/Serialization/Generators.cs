using System.Text.Json;
using System.Text.Json.Serialization;
using CsCheck;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Serialization;

/// <summary>Arbitrary facts and messages of each type.</summary>
internal static class Generators
{
    private static readonly Gen<long> Number =
        Gen.OneOf(Gen.Long, Gen.Long[0, 300], Gen.Const(0L), Gen.Const(long.MaxValue));
    private static readonly Gen<Epoch> AnEpoch = Number.Select(n => new Epoch(n));
    private static readonly Gen<Uid> AUid = Number.Select(n => new Uid(n));
    private static readonly Gen<NodeId> ANode = Gen.OneOf(Gen.String[Gen.Char.AlphaNumeric, 1, 32], Gen.Const("Ä✓"))
        .Select(s => new NodeId(s));
    private static readonly Gen<NodeId> ANodeOrNone = Gen.OneOf(ANode, Gen.Const(NodeId.None));
    public static readonly Gen<MemberId> Member = Gen.Select(ANode, Gen.Guid, (n, g) => new MemberId(n, g));
    public static readonly Gen<Header> Header = Gen.Select(
        Member, ANodeOrNone, Gen.OneOf(Gen.Guid, Gen.Const(Guid.Empty)), Gen.ULong,
        (from, to, cluster, settings) => new Header(from, to, cluster, settings));

    private static readonly Gen<UidRange> ARange = Gen.Select(AUid, AUid, (a, b) => new UidRange(a, b));
    private static readonly Gen<TimeSpan> ATime = Number.Select(n => new TimeSpan(n));
    private static readonly Gen<DataMark> AMark =
        Gen.Select(AUid, Gen.ULong, Number, Gen.ULong, (u, d, r, s) => new DataMark(u, d, r, s));


    private static readonly Gen<ReadOnlyMemory<byte>> Bytes =
        Gen.Byte.Array[0, 300].Select(b => new ReadOnlyMemory<byte>(b));

    private static readonly Gen<WriteOperation> AnOperation = Gen.Select(
        Gen.Enum<OperationKind>(), Bytes, Bytes, Gen.OneOf(Number.Select(n => (long?)n), Gen.Const((long?)null)),
        (kind, key, value, expected) => new WriteOperation(kind, new Key(key), value, expected));

    private static readonly Gen<WriteRequest> ARequest = Gen.Select(
        Number, Number, Number, AnOperation.Array[0, 4], Gen.Bool,
        (session, number, low, operations, previous) =>
            WriteRequestCodec.Create(session, number, low, operations, previous));

    private static readonly Gen<Batch> ABatch = Gen.Select(
        AnEpoch, AUid, ARequest.Array[0, 9], (epoch, first, requests) => new Batch(epoch, first, requests));

    private static readonly Gen<View> AView = Gen.Select(
        AnEpoch, ANodeOrNone, Member.Array[0, 5], ANode.Array[0, 5], AUid,
        Gen.Select(AnEpoch, AUid, (e, u) => new Tenure(e, u)).Array[0, 9],
        Gen.Select(Gen.OneOf(Gen.Guid, Gen.Const(Guid.Empty)), ATime, Gen.Int[0, int.MaxValue], AnEpoch),
        (epoch, sequencer, members, inSync, first, history, kept) => new View
        {
            Epoch = epoch,
            Sequencer = sequencer,
            Members = members,
            InSync = inSync,
            FirstUid = first,
            History = history,
            Cluster = kept.Item1,
            Lease = kept.Item2,
            FrameSize = kept.Item3,
            TrimmedAt = kept.Item4,
        });

    private static readonly Gen<KeyRecord> ARecord = Gen.Select(
        Bytes, Bytes, Number, Gen.Select(Number, Number, Number, (c, m, v) => new RecordFields(c, m, v)),
        (key, value, uid, fields) => new KeyRecord(key, value, uid, fields));

    private static readonly Gen<WriteAnswer> AnAnswer = Gen.Select(
        Number, Number, Number,
        Gen.OneOf(
            Gen.Const((Version?)null), Gen.Select(Bytes, Gen.Long[1, 1L << 60], (v, u) => (Version?)new Version(v, u)))
            .Array[0, 3],
        (session, number, uid, previous) => new WriteAnswer(session, number, WriteStatus.Done, uid, previous));

    private static readonly Gen<SessionRecord> ASession = Gen.Select(
        Number, Number, Number, AnAnswer.Array[0, 3],
        (id, low, used, answers) => new SessionRecord(id, low, used, answers));

    private static readonly Gen<StateSlice?> ASlice = Gen.OneOf(
        Gen.Select(Bytes, Bytes, (f, t) => (StateSlice?)new StateSlice(f, t)), Gen.Const((StateSlice?)null));

    private static readonly Gen<StateCursor> ACursor =
        Gen.Select(
            Bytes, Number, Gen.Int[0, int.MaxValue], (key, session, answers) => new StateCursor(key, session, answers));

    private static readonly Gen<StateChunk> AChunk = Gen.Select(
        ARecord.Array[0, 4], ASession.Array[0, 4],
        Gen.OneOf(ACursor.Select(c => (StateCursor?)c), Gen.Const((StateCursor?)null)),
        Gen.Select(Number, Number, Gen.ULong, Number, Number, (r, k, d, s, b) => new StateTotals(r, k, d, s, b)),
        (keys, sessions, next, totals) =>
        {
            var part = new StatePart();
            part.Keys.AddRange(keys);
            part.Sessions.AddRange(sessions);
            return new StateChunk(part, next, totals);
        });

    public static readonly Dictionary<Type, Gen<Fact>> Facts = new()
    {
        [typeof(Promised)] = Gen.Select(AnEpoch, ANodeOrNone, Fact (e, n) => new Promised(e, n)),
        [typeof(ViewAccepted)] = Gen.Select(
            AView, ARange.Array[0, 9], AUid, Fact (v, d, c) => new ViewAccepted(v, d, c)),
        [typeof(EntriesAppended)] = Gen.Select(ABatch, AUid, Fact (b, c) => new EntriesAppended(b, c)),
        [typeof(OrphansDropped)] = ARange.Array[0, 9].Select(Fact (d) => new OrphansDropped(d)),
    };

    public static readonly Dictionary<Type, Gen<PeerMessage>> Messages = new()
    {
        [typeof(Hello)] = Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 9], Gen.String, (n, v) => new Setting(n, v))
            .Array[0, 5].Select(PeerMessage (s) => new Hello(s)),
        [typeof(Canvass)] = Gen.Select(AnEpoch, AnEpoch, AnEpoch, PeerMessage (e, h, v) => new Canvass(e, h, v)),
        [typeof(CanvassReply)] =
            Gen.Select(AnEpoch, Gen.Bool, AnEpoch, PeerMessage (e, w, p) => new CanvassReply(e, w, p)),
        [typeof(RequestPromise)] = Gen.Select(AnEpoch, AnEpoch, PeerMessage (e, h) => new RequestPromise(e, h)),
        [typeof(Promise)] =
            Gen.Select(AnEpoch, AView, AUid, AUid, PeerMessage (e, v, u, c) => new Promise(e, v, u, c)),
        [typeof(Refuse)] = Gen.Select(AnEpoch, AnEpoch, PeerMessage (e, p) => new Refuse(e, p)),
        [typeof(Handover)] = Gen.Select(AnEpoch, Gen.Bool, PeerMessage (e, s) => new Handover(e, s)),
        [typeof(Synchronize)] =
            Gen.Select(AnEpoch, AView, AUid, ANode, PeerMessage (e, v, u, d) => new Synchronize(e, v, u, d)),
        [typeof(Synchronized)] = Gen.Select(AnEpoch, AUid, PeerMessage (e, u) => new Synchronized(e, u)),
        [typeof(InstallView)] = AView.Select(PeerMessage (v) => new InstallView(v)),
        [typeof(AcceptedView)] = AnEpoch.Select(PeerMessage (e) => new AcceptedView(e)),
        [typeof(ViewWanted)] = AnEpoch.Select(PeerMessage (e) => new ViewWanted(e)),
        [typeof(TailLost)] = Gen.Select(AnEpoch, Member, AUid, PeerMessage (e, m, u) => new TailLost(e, m, u)),
        [typeof(Leaving)] = Gen.Select(AnEpoch, Gen.Long, PeerMessage (e, run) => new Leaving(e, run)),
        [typeof(Append)] = Gen.Select(AnEpoch, ABatch, AUid, PeerMessage (e, b, c) => new Append(e, b, c)),
        [typeof(Appended)] = Gen.Select(AnEpoch, AUid, AUid, PeerMessage (e, c, h) => new Appended(e, c, h)),
        [typeof(Commit)] = Gen.Select(AnEpoch, AUid, PeerMessage (e, c) => new Commit(e, c)),
        [typeof(Heartbeat)] = Gen.Select(
            AnEpoch, Number, AUid, Number, ATime, AMark, ASlice,
            PeerMessage (e, r, c, l, f, a, s) => new Heartbeat(e, r, c, l, f, a, s)),
        [typeof(HeartbeatAck)] = Gen.Select(
            AnEpoch, Number, Number, ATime, AUid, AUid, Gen.Select(Gen.Bool, Gen.Int), Gen.Select(Gen.Int[0, 3], AMark),
            PeerMessage (e, r, n, c, u, h, o, l) =>
                new HeartbeatAck(e, r, n, c, u, h, o.Item1, o.Item2, (Lack)l.Item1, l.Item2)),
        [typeof(Fetch)] = Gen.Select(AnEpoch, Number, ARange, PeerMessage (e, i, r) => new Fetch(e, i, r)),
        [typeof(Entries)] =
            Gen.Select(AnEpoch, Number, ABatch.Array[0, 4], PeerMessage (e, i, b) => new Entries(e, i, b)),
        [typeof(Compacted)] = Gen.Select(AnEpoch, Number, AUid, PeerMessage (e, i, u) => new Compacted(e, i, u)),
        [typeof(FetchState)] = Gen.Select(
            AnEpoch, Number, AUid, Gen.OneOf(ACursor.Select(c => (StateCursor?)c), Gen.Const((StateCursor?)null)),
            PeerMessage (e, i, u, c) => new FetchState(e, i, u, c)),
        [typeof(StatePage)] = Gen.Select(
            AnEpoch, Number, Gen.OneOf(AChunk.Select(c => (StateChunk?)c), Gen.Const((StateChunk?)null)),
            PeerMessage (e, i, c) => new StatePage(e, i, c)),
    };

    /// <summary>Everything that a message says: records compare arrays by identity.</summary>
    public static string Show(object o) => $"{o.GetType().Name} {JsonSerializer.Serialize(o, o.GetType(), Json)}";

    private static readonly JsonSerializerOptions Json = new()
    {
        IgnoreReadOnlyProperties = true, // they are computed, some without end (Uid.Next)
        Converters = { new KeyConverter() },
    };

    /// <summary>Every type that can be made of <typeparamref name="T"/>.</summary>
    public static TheoryData<Type> TypesOf<T>() =>
        [.. typeof(T).Assembly.GetTypes()
            .Where(t => t.IsSubclassOf(typeof(T)) && !t.IsAbstract && t != typeof(Unreadable))];

    private sealed class KeyConverter : JsonConverter<Key>
    {
        public override Key Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, Key value, JsonSerializerOptions options) =>
            writer.WriteBase64StringValue(value.Bytes.Span);
    }
}
