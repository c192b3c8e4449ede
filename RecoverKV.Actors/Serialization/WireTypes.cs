using System.Text;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// The wire form of what journal events and peer messages have in common (the first messages of journal.proto).
/// Each method writes or reads the content of one message field.
/// </summary>
internal static class WireTypes
{
    [ThreadStatic]
    private static WireWriter? _writer;

    /// <summary>This thread's writer, emptied: encoding leaves no garbage but the final array. A buffer that one
    /// large message has blown up is not kept.</summary>
    public static WireWriter Writer()
    {
        var writer = _writer;
        if (writer is null || writer.Length > 1024 * 1024) _writer = writer = new WireWriter(4096);
        writer.Clear();
        return writer;
    }

    public static void Write(WireWriter writer, int field, Batch batch)
    {
        var mark = writer.Begin(field);
        writer.Int(1, batch.Epoch.Value);
        writer.Int(2, batch.First.Value);
        foreach (var request in batch.Requests) writer.AlwaysBytes(3, request.Encoded.Span);
        writer.End(mark);
    }

    public static Batch ReadBatch(ReadOnlyMemory<byte> encoded)
    {
        long epoch = 0, first = 0;
        var requests = new List<WriteRequest>();
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: epoch = reader.Int(); break;
                case 2: first = reader.Int(); break;
                case 3: ClientLimits.Add(requests, WriteRequestCodec.Decode(reader.Bytes()), Batch.MostRequests); break;
                default: reader.Skip(); break;
            }
        }

        return new Batch(new Epoch(epoch), new Uid(first), requests);
    }

    public static void Write(WireWriter writer, int field, MemberId member)
    {
        var mark = writer.Begin(field);
        writer.String(1, member.Node.Name);
        writer.AlwaysId(2, member.Incarnation);
        writer.End(mark);
    }

    public static MemberId ReadMember(ReadOnlyMemory<byte> encoded)
    {
        var node = "";
        var incarnation = Guid.Empty;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: node = reader.String(); break;
                case 2: incarnation = reader.Id(); break;
                default: reader.Skip(); break;
            }
        }

        return new MemberId(new NodeId(node), incarnation);
    }

    /// <summary>A header begins as a member does: builds that know none read its sender.</summary>
    public static void Write(WireWriter writer, int field, in Header header)
    {
        var mark = writer.Begin(field);
        writer.String(1, header.From.Node.Name);
        writer.AlwaysId(2, header.From.Incarnation);
        writer.Int(3, header.Version);
        writer.String(4, header.To.Name);
        writer.Id(5, header.Cluster);
        writer.Int(6, (long)header.Settings);
        writer.End(mark);
    }

    public static Header ReadHeader(ReadOnlyMemory<byte> encoded)
    {
        string from = "", to = "";
        Guid incarnation = default, cluster = default;
        long settings = 0;
        var version = 1;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: from = reader.String(); break;
                case 2: incarnation = reader.Id(); break;
                case 3: version = reader.Int32(); break;
                case 4: to = reader.String(); break;
                case 5: cluster = reader.Id(); break;
                case 6: settings = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new Header(
            new MemberId(new NodeId(from), incarnation), new NodeId(to), cluster, (ulong)settings, version);
    }

    public static void Write(WireWriter writer, int field, Setting setting)
    {
        var mark = writer.Begin(field);
        writer.String(1, setting.Name);
        writer.String(2, setting.Value);
        writer.End(mark);
    }

    public static Setting ReadSetting(ReadOnlyMemory<byte> encoded)
    {
        string name = "", value = "";
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: name = reader.String(); break;
                case 2: value = reader.String(); break;
                default: reader.Skip(); break;
            }
        }

        return new Setting(name, value);
    }

    public static void Write(WireWriter writer, int field, UidRange range)
    {
        var mark = writer.Begin(field);
        writer.Int(1, range.First.Value);
        writer.Int(2, range.Last.Value);
        writer.End(mark);
    }

    public static UidRange ReadRange(ReadOnlyMemory<byte> encoded)
    {
        var (first, last) = ReadPair(encoded);
        return new UidRange(new Uid(first), new Uid(last));
    }

    public static void Write(WireWriter writer, int field, View view)
    {
        var mark = writer.Begin(field);
        Write(writer, view);
        writer.End(mark);
    }

    public static void Write(WireWriter writer, View view)
    {
        writer.Int(1, view.Epoch.Value);
        writer.String(2, view.Sequencer.Name);
        foreach (var member in view.Members) Write(writer, 3, member);
        foreach (var node in view.InSync) writer.AlwaysBytes(4, Encoding.UTF8.GetBytes(node.Name));
        writer.Int(5, view.FirstUid.Value);
        foreach (var tenure in view.History)
        {
            var inner = writer.Begin(6);
            writer.Int(1, tenure.Epoch.Value);
            writer.Int(2, tenure.FirstUid.Value);
            writer.End(inner);
        }

        writer.Id(7, view.Cluster);
        writer.Int(8, view.Lease.Ticks);
        writer.Int(9, view.FrameSize);
        writer.Int(10, view.TrimmedAt.Value);
    }

    public static View ReadView(ReadOnlyMemory<byte> encoded)
    {
        long epoch = 0, firstUid = 0, lease = 0, trimmedAt = 0;
        var frameSize = 0;
        var sequencer = "";
        var members = new List<MemberId>();
        var inSync = new List<NodeId>();
        // Room for exactly so many: a list that grows takes several times as much, of two bytes each.
        var history = new List<Tenure>(Count(encoded, 6));
        var cluster = Guid.Empty;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: epoch = reader.Int(); break;
                case 2: sequencer = reader.String(); break;
                case 3: ClientLimits.Add(members, ReadMember(reader.Bytes()), ClientLimits.Nodes); break;
                case 4: ClientLimits.Add(inSync, new NodeId(reader.String()), ClientLimits.Nodes); break;
                case 5: firstUid = reader.Int(); break;
                case 6:
                    var (tenureEpoch, tenureFirst) = ReadPair(reader.Bytes());
                    history.Add(new Tenure(new Epoch(tenureEpoch), new Uid(tenureFirst)));
                    break;
                case 7: cluster = reader.Id(); break;
                case 8: lease = reader.Int(); break;
                case 9: frameSize = reader.Int32(); break;
                case 10: trimmedAt = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new View
        {
            Epoch = new Epoch(epoch),
            Sequencer = new NodeId(sequencer),
            Members = [.. members],
            InSync = [.. inSync],
            FirstUid = new Uid(firstUid),
            History = [.. history],
            Cluster = cluster,
            Lease = new TimeSpan(lease),
            FrameSize = frameSize,
            TrimmedAt = new Epoch(trimmedAt),
        };
    }

    private static int Count(ReadOnlyMemory<byte> encoded, int wanted)
    {
        var count = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            if (field == wanted) count++;
            reader.Skip();
        }

        return count;
    }

    private static (long First, long Second) ReadPair(ReadOnlyMemory<byte> encoded)
    {
        long first = 0, second = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: first = reader.Int(); break;
                case 2: second = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return (first, second);
    }
}
