using CsCheck;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Client;

/// <summary>Random client messages of every type.</summary>
internal static class ClientMessageGen
{
    private static readonly Gen<long> Number = Gen.OneOf(Gen.Const(0L), Gen.Const(1L), Gen.Const(127L), Gen.Const(128L),
        Gen.Const(long.MaxValue), Gen.Const(-1L), Gen.Long);

    private static readonly Gen<int> Number32 =
        Gen.OneOf(Gen.Const(0), Gen.Const(65535), Gen.Const(int.MaxValue), Gen.Const(int.MinValue), Gen.Int);

    private static readonly Gen<string> Text =
        Gen.String[Gen.OneOf(Gen.Char['a', 'z'], Gen.Char['à', 'ÿ'], Gen.Char['一', '三']), 0, 20];

    private static readonly Gen<string?> MaybeText = Text.Select(t => t.Length == 0 ? null : t);

    private static readonly Gen<byte[]> Bytes =
        Gen.OneOf(Gen.Byte.Array[0, 5], Gen.Byte.Array[120, 140], Gen.Byte.Array[16_380, 16_390]);

    private static readonly Gen<Key> AnyKey = Gen.Byte.Array[0, 150].Select(b => new Key(b));

    private static readonly Gen<Version> AVersion =
        Gen.Select(Bytes, Gen.Long[1, long.MaxValue]).Select((v, u) => new Version(v, u));

    private static readonly Gen<IReadOnlyList<Version?>> Versions =
        Gen.OneOf(AVersion.Select(v => (Version?)v), Gen.Const((Version?)null)).List[0, 4]
            .Select(l => (IReadOnlyList<Version?>)l);

    private static readonly Gen<NodeAddress> Address =
        Gen.Select(Text, Text, Number32, Gen.Bool).Select((n, h, p, s) => new NodeAddress(n, h, p, s));

    private static readonly Gen<Guid> Id = Gen.OneOf(Gen.Const(Guid.Empty), Gen.Guid);

    private static readonly Gen<ClusterView> View =
        Gen.Select(
            Gen.Select(Number, Number, MaybeText, Address.List[0, 5], Number32, Number32), Id, Number32, Number32)
            .Select((v, c, w, f) => new ClusterView(v.Item1, v.Item2, v.Item3, v.Item4, v.Item5, v.Item6, c, w, f));

    private static readonly Gen<ClusterView?> MaybeView =
        Gen.OneOf(Gen.Const((ClusterView?)null), View.Select(v => (ClusterView?)v));

    private static readonly Gen<WriteOperation> Operation =
        Gen.Select(Gen.Enum<OperationKind>(), AnyKey, Bytes,
                Gen.OneOf(Gen.Const((long?)null), Number.Select(n => (long?)n)))
            .Select((o, k, v, e) => new WriteOperation(o, k, v, e));

    private static readonly Gen<WriteRequest> Request =
        Gen.Select(Number, Number, Number, Operation.List[0, 4], Gen.Bool).Select(WriteRequestCodec.Create);

    private static readonly Gen<WriteAnswer> WriteAnswer =
        Gen.Select(Number, Number, Gen.Enum<WriteStatus>(), Number, Versions, MaybeText, Gen.Bool)
            .Select((s, n, st, u, p, t, o) => new WriteAnswer(s, n, st, u, p, t, o));

    private static readonly Gen<Read> Read =
        Gen.Select(Number, AnyKey.List[0, 4]).Select((i, k) => new Read(i, k));

    private static readonly Gen<ReadAnswer> ReadAnswer =
        Gen.Select(Number, Gen.Enum<ReadStatus>(), Versions, Number, MaybeText)
            .Select((i, s, v, a, t) => new ReadAnswer(i, s, v, a, t));

    private static readonly Gen<KeyRange> Range = Gen.Select(Bytes, Gen.Bool, Bytes)
        .Select((from, ends, to) => ends ? KeyRange.OfBounds(from, to) : KeyRange.OfBounds(from, null));

    private static readonly Gen<ScanItem> Item = Gen.Select(AnyKey, AVersion).Select((k, v) => new ScanItem(k, v));

    /// <summary>One generator for each type of client message.</summary>
    internal static IReadOnlyDictionary<Type, Gen<IClientMessage>> All { get; } =
        new Dictionary<Type, Gen<IClientMessage>>
        {
            [typeof(ClusterViewRequest)] = Of(Number.Select(i => new ClusterViewRequest(i))),
            [typeof(ClusterView)] = Of(View),
            [typeof(NodeStatusRequest)] = Of(Number.Select(i => new NodeStatusRequest(i))),
            [typeof(NodeStatus)] = Of(
                Gen.Select(Gen.Select(Number, Text, Text, Number32, Number32),
                        Gen.Select(Gen.Enum<NodeMode>(), Number, Gen.Bool, MaybeText),
                        Gen.Select(Number, Number, Number, Number, MaybeText), Gen.Select(Number, Number, Gen.Bool, Id))
                    .Select((a, b, c, d) => new NodeStatus(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, b.Item1,
                        b.Item2, b.Item3, b.Item4, c.Item1, c.Item2, c.Item3, c.Item4, c.Item5,
                        d.Item1, d.Item2, d.Item3, d.Item4))),
            [typeof(StopNode)] = Of(
                Gen.Select(Number, Gen.Bool, MaybeText).Select((i, c, s) => new StopNode(i, c, s))),
            [typeof(CheckpointNode)] = Of(Number.Select(i => new CheckpointNode(i))),
            [typeof(BackupRequest)] = Of(
                Gen.Select(Number, Number, Bytes).Select((i, a, b) => new BackupRequest(i, a, b))),
            [typeof(BackupPart)] = Of(
                Gen.Select(Number, Number, Bytes, Id, Number32)
                    .Select((i, a, b, c, f) => new BackupPart(i, a, b, c, f))),
            [typeof(PartitionNode)] = Of(
                Gen.Select(Number, Gen.Bool, Text.List[0, 4], Gen.Bool, MaybeText)
                    .Select((i, c, r, h, s) => new PartitionNode(i, c, r, h, s))),
            [typeof(AdminReply)] = Of(
                Gen.Select(Number, Gen.Bool, MaybeText).Select((i, d, t) => new AdminReply(i, d, t))),
            [typeof(UnknownMessage)] = Of(Text.Select(m => new UnknownMessage(m))),
            [typeof(Unsupported)] = Of(Text.Select(m => new Unsupported(m))),
            [typeof(WriteBatch)] = Of(Gen.Select(Request.List[0, 4], Id).Select((r, c) => new WriteBatch(r, c))),
            [typeof(WriteReplies)] = Of(
                Gen.Select(WriteAnswer.List[0, 4], MaybeView).Select((a, v) => new WriteReplies(a, v))),
            [typeof(ReadBatch)] = Of(
                Gen.Select(Gen.Enum<ReadConsistency>(), Read.List[0, 4], Id)
                    .Select((c, r, s) => new ReadBatch(c, r, s))),
            [typeof(ReadReplies)] = Of(
                Gen.Select(ReadAnswer.List[0, 4], MaybeView).Select((a, v) => new ReadReplies(a, v))),
            [typeof(ScanRequest)] = Of(
                Gen.Select(Number, Gen.Enum<ReadConsistency>(), Bytes, Number32, Id, Range, Gen.Bool)
                    .Select((i, c, b, m, s, r, v) => new ScanRequest(i, c, b, m, s, r, v))),
            [typeof(ScanReply)] = Of(
                Gen.Select(Number, Gen.Enum<ReadStatus>(), Item.List[0, 4], Bytes, MaybeView, MaybeText, Number)
                    .Select((i, s, l, n, v, t, u) => new ScanReply(i, s, l, n, v, t, u))),
        };

    private static Gen<IClientMessage> Of<T>(Gen<T> gen) where T : IClientMessage => gen.Select(m => (IClientMessage)m);
}
