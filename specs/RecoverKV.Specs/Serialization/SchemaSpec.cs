using System.IO.Hashing;
using CsCheck;
using Google.Protobuf;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using Journal = RecoverKV.Schema.Journal;
using Peer = RecoverKV.Schema.Peer;

namespace RecoverKV.Specs.Serialization;

/// <summary>The codecs are written by hand; what they write is, byte for byte, what protoc's code writes.</summary>
public class SchemaSpec
{
    public static TheoryData<Type> Facts => Generators.TypesOf<Fact>();

    public static TheoryData<Type> DataPath =>
        [
            typeof(Append), typeof(Appended), typeof(Commit), typeof(Heartbeat), typeof(HeartbeatAck), typeof(Fetch),
            typeof(Entries), typeof(Hello), typeof(Compacted), typeof(FetchState), typeof(StatePage)
        ];

    [Theory]
    [MemberData(nameof(Facts))]
    public void Facts_are_written_by_their_schema(Type type) => Generators.Facts[type].Sample(fact =>
    {
        var content = ToSchema(fact, null).ToByteArray();
        Assert.Equal(ToSchema(fact, Crc32.HashToUInt32(content)).ToByteArray(), FactCodec.Encode(fact));
    }, iter: 300);

    [Theory]
    [MemberData(nameof(DataPath))]
    public void The_data_path_is_written_by_its_schema(Type type) =>
        Gen.Select(Generators.Header, Generators.Messages[type]).Sample(
            (from, message) => Assert.Equal(
                ToSchema(ToSchema(from), message).ToByteArray(), PeerCodec.Encode(new PeerEnvelope(from, message))),
            iter: 300);

    [Fact]
    public void Control_messages_travel_in_the_schema() =>
        Gen.Select(Generators.Header, Generators.Messages[typeof(Promise)]).Sample((from, message) =>
        {
            var read = Peer.Control.Parser.ParseFrom(PeerCodec.Encode(new PeerEnvelope(from, message)));
            Assert.Equal(ToSchema(from), read.Header);
            Assert.Equal(
                Generators.Show(message), Generators.Show(ControlCodec.Decode(read.Message.Memory)));
        }, iter: 100);

    private static IMessage ToSchema(Fact fact, uint? crc)
    {
        switch (fact)
        {
            case Promised f:
                var promised = new Journal.Promised { Epoch = f.Epoch.Value, Candidate = f.Candidate.Name };
                if (crc is not null) promised.Crc = crc.Value;
                return promised;
            case EntriesAppended f:
                var appended = new Journal.EntriesAppended { Committed = f.Committed.Value, Batch = ToSchema(f.Batch) };
                if (crc is not null) appended.Crc = crc.Value;
                return appended;
            case ViewAccepted f:
                var accepted = new Journal.ViewAccepted { View = ToSchema(f.View), Committed = f.Committed.Value };
                accepted.Dropped.AddRange(f.Dropped.Select(ToSchema));
                if (crc is not null) accepted.Crc = crc.Value;
                return accepted;
            case OrphansDropped f:
                var dropped = new Journal.OrphansDropped();
                dropped.Dropped.AddRange(f.Dropped.Select(ToSchema));
                if (crc is not null) dropped.Crc = crc.Value;
                return dropped;
            default:
                throw new NotSupportedException($"{fact.GetType().Name} has no schema here.");
        }
    }

    private static IMessage ToSchema(Peer.Header from, PeerMessage message)
    {
        var epoch = message.Epoch.Value;
        switch (message)
        {
            case Append m:
                return new Peer.Append
                {
                    Header = from,
                    Epoch = epoch,
                    Committed = m.Committed.Value,
                    Batch = ToSchema(m.Batch)
                };
            case Appended m:
                return new Peer.Appended
                {
                    Header = from,
                    Epoch = epoch,
                    Contiguous = m.Contiguous.Value,
                    Highest = m.Highest.Value,
                };
            case Commit m:
                return new Peer.Commit { Header = from, Epoch = epoch, Committed = m.Committed.Value };
            case Heartbeat m:
                return new Peer.Heartbeat
                {
                    Header = from,
                    Epoch = epoch,
                    Round = m.Round,
                    Committed = m.Committed.Value,
                    LeaseRun = m.LeaseRun,
                    LeaseFrom = m.LeaseFrom.Ticks,
                    AgreedAt = m.Agreed.At.Value,
                    AgreedDigest = (long)m.Agreed.Digest,
                    AgreedRound = m.Agreed.Round,
                    AgreedSlice = (long)m.Agreed.Slice,
                    Slice = m.Slice is null ? null : new Peer.StateSlice
                    {
                        From = ByteString.CopyFrom(m.Slice.From.Span),
                        To = ByteString.CopyFrom(m.Slice.To.Span),
                    },
                };
            case HeartbeatAck m:
                return new Peer.HeartbeatAck
                {
                    Header = from,
                    Epoch = epoch,
                    Round = m.Round,
                    Run = m.Run,
                    Clock = m.Clock.Ticks,
                    Contiguous = m.Contiguous.Value,
                    Highest = m.Highest.Value,
                    CutOff = m.CutOff,
                    TicksLate = m.TicksLate,
                    Lacks = (int)m.Lacks,
                    MarkAt = m.Mark.At.Value,
                    MarkDigest = (long)m.Mark.Digest,
                    MarkRound = m.Mark.Round,
                    MarkSlice = (long)m.Mark.Slice,
                };
            case Fetch m:
                return new Peer.Fetch
                {
                    Header = from,
                    Epoch = epoch,
                    Id = m.Id,
                    First = m.Range.First.Value,
                    Last = m.Range.Last.Value,
                };
            case Entries m:
                var entries = new Peer.Entries { Header = from, Epoch = epoch, Id = m.Id };
                entries.Batches.AddRange(m.Batches.Select(ToSchema));
                return entries;
            case Compacted m:
                return new Peer.Compacted { Header = from, Epoch = epoch, Id = m.Id, Checkpoint = m.Checkpoint.Value };
            case FetchState m:
                return new Peer.FetchState
                {
                    Header = from,
                    Epoch = epoch,
                    Id = m.Id,
                    At = m.At.Value,
                    After = m.After is { } after ? ToSchema(after) : null,
                };
            case StatePage m:
                return new Peer.StatePage
                {
                    Header = from,
                    Epoch = epoch,
                    Id = m.Id,
                    Chunk = m.Chunk is { } chunk ? ToSchema(chunk) : null
                };
            case Hello m:
                var hello = new Peer.Hello { Header = from };
                hello.Settings.AddRange(m.Settings.Select(x => new Peer.Setting { Name = x.Name, Value = x.Value }));
                return hello;
            default:
                throw new NotSupportedException($"{message.GetType().Name} has no schema here.");
        }
    }

    private static Peer.StateCursor ToSchema(StateCursor cursor) =>
        new() { Key = ByteString.CopyFrom(cursor.Key.Span), Session = cursor.Session, Answers = cursor.Answers };

    private static Peer.StateChunk ToSchema(StateChunk chunk)
    {
        var (totals, schema) = (chunk.Totals, new Peer.StateChunk());
        schema.Keys.AddRange(chunk.Part.Keys.Select(r => new Peer.KeyRecord
        {
            Key = ByteString.CopyFrom(r.Key.Span),
            Value = ByteString.CopyFrom(r.Value.Span),
            Uid = r.Uid,
            Created = r.Fields.Created,
            Modified = r.Fields.Modified,
            Version = r.Fields.Version,
        }));
        schema.Sessions.AddRange(chunk.Part.Sessions.Select(s => new Peer.SessionRecord
        {
            Id = s.Id,
            LowWater = s.LowWater,
            Used = s.Used,
            Answers = ByteString.CopyFrom(SessionCodec.Encode(s.Answers)),
        }));
        if (chunk.Next is { } next) schema.Next = ToSchema(next);
        schema.Totals = new Peer.StateTotals
        {
            Revision = totals.Revision,
            Keys = totals.Keys,
            Digest = (long)totals.Digest,
            Sessions = totals.Sessions,
            SessionBytes = totals.SessionBytes,
        };
        return schema;
    }

    private static Journal.Batch ToSchema(Batch batch)
    {
        var schema = new Journal.Batch { Epoch = batch.Epoch.Value, First = batch.First.Value };
        schema.Requests.AddRange(batch.Requests.Select(r => ByteString.CopyFrom(r.Encoded.Span)));
        return schema;
    }

    private static Peer.Header ToSchema(Header header) => new()
    {
        Node = header.From.Node.Name,
        Incarnation = ByteString.CopyFrom(header.From.Incarnation.ToByteArray(bigEndian: true)),
        Version = header.Version,
        To = header.To.Name,
        Cluster = header.Cluster == Guid.Empty
            ? ByteString.Empty
            : ByteString.CopyFrom(header.Cluster.ToByteArray(bigEndian: true)),
        Settings = (long)header.Settings,
    };

    private static Journal.Member ToSchema(MemberId member) => new()
    {
        Node = member.Node.Name,
        Incarnation = ByteString.CopyFrom(member.Incarnation.ToByteArray(bigEndian: true)),
    };

    private static Journal.UidRange ToSchema(UidRange range) =>
        new() { First = range.First.Value, Last = range.Last.Value };

    private static Journal.View ToSchema(View view)
    {
        var schema = new Journal.View
        {
            Epoch = view.Epoch.Value,
            Sequencer = view.Sequencer.Name,
            FirstUid = view.FirstUid.Value,
            Lease = view.Lease.Ticks,
            FrameSize = view.FrameSize,
            TrimmedAt = view.TrimmedAt.Value,
        };
        schema.Members.AddRange(view.Members.Select(ToSchema));
        schema.InSync.AddRange(view.InSync.Select(n => n.Name));
        schema.History.AddRange(
            view.History.Select(t => new Journal.Tenure { Epoch = t.Epoch.Value, FirstUid = t.FirstUid.Value }));
        if (view.Cluster != Guid.Empty) schema.Cluster = ByteString.CopyFrom(view.Cluster.ToByteArray(bigEndian: true));
        return schema;
    }
}
