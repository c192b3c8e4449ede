using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// The form of messages between replicas (peer.proto): a schema for the data path, where rate and size matter, and
/// Hyperion for control messages (<see cref="ControlCodec"/>). Stateless.
/// </summary>
public static class PeerCodec
{
    private const string Control = "c";
    private const int MaxSettings = 64;

    /// <summary>Which kind of message it is.</summary>
    public static string Manifest(PeerMessage message) => message switch
    {
        Append => "A",
        Appended => "a",
        Commit => "C",
        Heartbeat => "H",
        HeartbeatAck => "h",
        Fetch => "F",
        Entries => "f",
        Compacted => "K",
        FetchState => "S",
        StatePage => "s",
        Hello => "I",
        _ => Control,
    };

    /// <summary>The bytes of a message with its sender.</summary>
    public static byte[] Encode(PeerEnvelope envelope)
    {
        var writer = WireTypes.Writer();
        WireTypes.Write(writer, 1, envelope.Header);
        switch (envelope.Message)
        {
            case Append m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Committed.Value);
                WireTypes.Write(writer, 4, m.Batch);
                break;
            case Appended m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Contiguous.Value);
                writer.Int(4, m.Highest.Value);
                break;
            case Commit m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Committed.Value);
                break;
            case Heartbeat m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Round);
                writer.Int(4, m.Committed.Value);
                writer.Int(5, m.LeaseRun);
                writer.Int(6, m.LeaseFrom.Ticks);
                writer.Int(7, m.Agreed.At.Value);
                writer.Int(8, (long)m.Agreed.Digest);
                writer.Int(9, m.Agreed.Round);
                writer.Int(10, (long)m.Agreed.Slice);
                if (m.Slice is { } slice) StateCodec.Write(writer, 11, slice);
                break;
            case HeartbeatAck m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Round);
                writer.Int(4, m.Run);
                writer.Int(5, m.Clock.Ticks);
                writer.Int(6, m.Contiguous.Value);
                writer.Int(7, m.Highest.Value);
                writer.Int(8, m.CutOff ? 1 : 0);
                writer.Int(9, m.TicksLate);
                writer.Int(10, (long)m.Lacks);
                writer.Int(11, m.Mark.At.Value);
                writer.Int(12, (long)m.Mark.Digest);
                writer.Int(13, m.Mark.Round);
                writer.Int(14, (long)m.Mark.Slice);
                break;
            case Fetch m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Id);
                writer.Int(4, m.Range.First.Value);
                writer.Int(5, m.Range.Last.Value);
                break;
            case Entries m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Id);
                foreach (var batch in m.Batches) WireTypes.Write(writer, 4, batch);
                break;
            case Compacted m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Id);
                writer.Int(4, m.Checkpoint.Value);
                break;
            case FetchState m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Id);
                writer.Int(4, m.At.Value);
                if (m.After is { } after) StateCodec.Write(writer, 5, after);
                break;
            case StatePage m:
                writer.Int(2, m.Epoch.Value);
                writer.Int(3, m.Id);
                if (m.Chunk is { } chunk) StateCodec.Write(writer, 4, chunk);
                break;
            case Hello m:
                foreach (var setting in m.Settings) WireTypes.Write(writer, 2, setting);
                break;
            default:
                writer.AlwaysBytes(2, ControlCodec.Encode(envelope.Message));
                break;
        }

        return writer.Written.ToArray();
    }

    /// <summary>Reads a message. Requests in it are slices of <paramref name="bytes"/>. Of a version that is not known
    /// only the header is read.</summary>
    /// <exception cref="FormatException">The bytes are no such message.</exception>
    public static PeerEnvelope Decode(string manifest, byte[] bytes)
    {
        var f = new Fields();
        var reader = new WireReader(bytes);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1:
                    f.Header = WireTypes.ReadHeader(reader.Bytes());
                    if (!f.Header.Value.IsReadable) return new PeerEnvelope(f.Header.Value, new Unreadable());
                    break;
                // The header comes first: what stands before it is of no version that is known.
                case > 1 when f.Header is null: throw new FormatException("A message does not begin with its sender.");
                case 2 when manifest == "I":
                    ClientLimits.Add(f.Settings ??= [], WireTypes.ReadSetting(reader.Bytes()), MaxSettings);
                    break;
                case 2 when manifest == Control && f.Control is null:
                    f.Control = ControlCodec.Decode(reader.Bytes());
                    break;
                case 2: f.Epoch = new Epoch(reader.Int()); break;
                case 3: f.Third = reader.Int(); break;
                case 4 when manifest is "A" or "f": (f.Batches ??= []).Add(WireTypes.ReadBatch(reader.Bytes())); break;
                case 4 when manifest == "s": f.Chunk = StateCodec.ReadChunk(reader.Bytes()); break;
                case 4: f.Fourth = reader.Int(); break;
                case 5 when manifest == "S": f.Cursor = StateCodec.ReadCursor(reader.Bytes()); break;
                case 5: f.Fifth = reader.Int(); break;
                case 6: f.Sixth = reader.Int(); break;
                case 7: f.Seventh = reader.Int(); break;
                case 8: f.Eighth = reader.Int(); break;
                case 9: f.Ninth = reader.Int(); break;
                case 10: f.Tenth = reader.Int(); break;
                case 11 when manifest == "H": f.Slice = StateCodec.ReadSlice(reader.Bytes()); break;
                case 11: f.Eleventh = reader.Int(); break;
                case 12: f.Twelfth = reader.Int(); break;
                case 13: f.Thirteenth = reader.Int(); break;
                case 14: f.Fourteenth = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new PeerEnvelope(f.Header ?? throw new FormatException("A message has no sender."), Build(manifest, f));
    }

    private static PeerMessage Build(string manifest, in Fields f) => manifest switch
    {
        "A" => new Append(
            f.Epoch, f.Batches is [var batch] ? batch : throw new FormatException("An append has not one batch."),
            new Uid(f.Third)),
        "a" => new Appended(f.Epoch, new Uid(f.Third), new Uid(f.Fourth)),
        "C" => new Commit(f.Epoch, new Uid(f.Third)),
        "H" => new Heartbeat(f.Epoch, f.Third, new Uid(f.Fourth), f.Fifth, new TimeSpan(f.Sixth),
            new DataMark(new Uid(f.Seventh), (ulong)f.Eighth, f.Ninth, (ulong)f.Tenth), f.Slice),
        "h" => new HeartbeatAck(
            f.Epoch, f.Third, f.Fourth, new TimeSpan(f.Fifth), new Uid(f.Sixth), new Uid(f.Seventh), f.Eighth != 0,
            (int)f.Ninth, (Lack)f.Tenth & (Lack.Memory | Lack.Disk),
            new DataMark(new Uid(f.Eleventh), (ulong)f.Twelfth, f.Thirteenth, (ulong)f.Fourteenth)),
        "F" => new Fetch(f.Epoch, f.Third, new UidRange(new Uid(f.Fourth), new Uid(f.Fifth))),
        "f" => new Entries(f.Epoch, f.Third, f.Batches?.ToArray() ?? []),
        "K" => new Compacted(f.Epoch, f.Third, new Uid(f.Fourth)),
        "S" => new FetchState(f.Epoch, f.Third, new Uid(f.Fourth), f.Cursor),
        "s" => new StatePage(f.Epoch, f.Third, f.Chunk),
        "I" => new Hello(f.Settings?.ToArray() ?? []),
        Control => f.Control ?? throw new FormatException("A control message is empty."),
        _ => throw new FormatException($"A message between replicas is of the unknown kind '{manifest}'."),
    };

    /// <summary>The fields of any message of peer.proto, by number.</summary>
    private struct Fields
    {
        public Header? Header;
        public Epoch Epoch;
        public StateSlice? Slice;
        public long Third, Fourth, Fifth, Sixth, Seventh, Eighth, Ninth, Tenth, Eleventh, Twelfth, Thirteenth,
            Fourteenth;
        public List<Batch>? Batches;
        public List<Setting>? Settings;
        public PeerMessage? Control;
        public StateCursor? Cursor;
        public StateChunk? Chunk;
    }
}
