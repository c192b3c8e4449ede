using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Specs.Serialization;

/// <summary>
/// What nodes say to each other, byte by byte. peer-v2.txt is committed, has the manifest and the bytes of each message
/// below, and never changes: builds that read version 2 read these. A new form gets a file of its own beside it. To
/// make one: run this spec with RECOVERKV_PEER_OUT=FOLDER in the environment.
/// </summary>
public class PeerFormSpec
{
    private static readonly MemberId One = new(new NodeId("node1"), new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"));
    private static readonly MemberId Two = new(new NodeId("node2"), new Guid("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    private static readonly Header Header =
        new(One, Two.Node, new Guid("3f2504e0-4f89-41d3-9a0c-0305e82c3301"), 0xfedc_ba98_7654_3210);

    private static readonly View View = new()
    {
        Epoch = new Epoch(7),
        Sequencer = One.Node,
        Members = [One, Two],
        InSync = [One.Node],
        FirstUid = new Uid(300),
        History = [new Tenure(new Epoch(5), new Uid(20)), new Tenure(new Epoch(7), new Uid(300))],
        Cluster = Header.Cluster,
        Lease = TimeSpan.FromSeconds(1),
        FrameSize = 4 * 1024 * 1024,
        TrimmedAt = new Epoch(6),
    };

    private static readonly Batch Batch = new(new Epoch(7), new Uid(300),
    [
        WriteRequestCodec.Create(0, 0x1234_5678_9abc_def0, 0, []),
        WriteRequestCodec.Create(1, 2, 1, [new(OperationKind.Put, "key", "välue"u8.ToArray(), ExpectedUid: 0)]),
    ]);

    private static readonly PeerMessage[] Messages =
    [
        new Hello([new Setting("recoverkv.frame-size", "4MiB")]),
        new Canvass(new Epoch(8), new Epoch(7), new Epoch(7)),
        new CanvassReply(new Epoch(8), true, new Epoch(7)),
        new RequestPromise(new Epoch(8), new Epoch(7)),
        new Promise(new Epoch(8), View, new Uid(301), new Uid(300)),
        new Refuse(new Epoch(6), new Epoch(7)),
        new Handover(new Epoch(7)),
        new Synchronize(new Epoch(8), View, new Uid(301), One.Node),
        new Synchronized(new Epoch(8), new Uid(301)),
        new InstallView(View),
        new AcceptedView(new Epoch(7)),
        new ViewWanted(new Epoch(7)),
        new TailLost(new Epoch(7), Two, new Uid(301)),
        new Leaving(new Epoch(7), 0x1234_5678_9abc_def0),
        new Append(new Epoch(7), Batch, new Uid(299)),
        new Appended(new Epoch(7), new Uid(301), new Uid(305)),
        new Commit(new Epoch(7), new Uid(301)),
        new Heartbeat(new Epoch(7), 12, new Uid(301), 0x1234_5678_9abc_def0, TimeSpan.FromHours(9)),
        new HeartbeatAck(
            new Epoch(7), 12, 0x1234_5678_9abc_def0, TimeSpan.FromHours(9), new Uid(301), new Uid(305), CutOff: true),
        new Fetch(new Epoch(7), 77, new UidRange(new Uid(3), new Uid(9))),
        new Entries(new Epoch(7), 77, [Batch]),
    ];

    // Those that version 2 got later.
    private static readonly PeerMessage[] Transfers =
    [
        new Compacted(new Epoch(7), 77, new Uid(250)),
        new FetchState(new Epoch(7), 78, new Uid(250), new StateCursor("k1"u8.ToArray(), 3, 2)),
        new StatePage(new Epoch(7), 78, Chunk()),
    ];

    private static StateChunk Chunk()
    {
        var part = new StatePart();
        part.Keys.Add(new KeyRecord("k2"u8.ToArray(), "välue"u8.ToArray(), 249, new RecordFields(7, 9, 3)));
        part.Sessions.Add(new SessionRecord(
            1, 5, 249, [new WriteAnswer(1, 6, WriteStatus.Done, 249, [null, new Version("v"u8.ToArray(), 20)])]));
        return new StateChunk(
            part, new StateCursor("k2"u8.ToArray(), 1, 1), new StateTotals(9, 2, 0xfedc_ba98_7654_3210, 2, 128));
    }

    private static string File(string name) =>
        Path.Combine(Repository.Root, "specs/RecoverKV.Specs/Serialization", name);

    [Theory]
    [InlineData("peer-v2.txt")]
    [InlineData("peer-v2-transfers.txt")]
    public void Messages_of_version_2_are_read_and_written_as_ever(string file)
    {
        var messages = file == "peer-v2.txt" ? Messages : Transfers;
        var lines = messages.Select(m => $"{m.GetType().Name} {PeerCodec.Manifest(m)} "
            + Convert.ToHexStringLower(PeerCodec.Encode(new PeerEnvelope(Header, m)))).ToArray();
        if (Environment.GetEnvironmentVariable("RECOVERKV_PEER_OUT") is { Length: > 0 } output)
            System.IO.File.WriteAllLines(Path.Combine(output, file), lines);
        var committed = System.IO.File.ReadAllLines(File(file));
        foreach (var (message, line) in messages.Zip(committed))
        {
            if (line.Split(' ') is not [_, var manifest, var bytes]) throw new FormatException(line);
            var read = PeerCodec.Decode(manifest, Convert.FromHexString(bytes));
            Assert.Equal(Header, read.Header);
            Assert.Equal(Generators.Show(message), Generators.Show(read.Message));
        }

        Assert.Equal(committed, lines);
    }

    [Fact]
    public void Every_type_of_message_is_among_them() =>
        Assert.Equal(
            Generators.TypesOf<PeerMessage>().Cast<object[]>().Select(row => ((Type)row[0]).Name).Order(),
            Messages.Concat(Transfers).Select(m => m.GetType().Name).Order());
}
