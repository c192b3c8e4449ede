using System.Buffers.Binary;
using System.IO.Hashing;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// The form of journal events (journal.proto). An event begins with a checksum of the rest, so that a damaged disk
/// is noticed when the event is read. Requests stay in the wire form that the client made. Stateless.
/// </summary>
public static class FactCodec
{
    private const int ChecksumTag = 1 << 3 | 5;
    private const int ChecksumField = 5;

    /// <summary>Which of the four events it is.</summary>
    public static string Manifest(Fact fact) => fact switch
    {
        EntriesAppended => "E",
        Promised => "P",
        ViewAccepted => "V",
        OrphansDropped => "O",
        _ => throw new ArgumentException($"No journal event is made of a {fact.GetType().Name}.", nameof(fact)),
    };

    /// <summary>The bytes of an event.</summary>
    public static byte[] Encode(Fact fact)
    {
        var writer = WireTypes.Writer();
        writer.Fixed32(1, 0);
        switch (fact)
        {
            case EntriesAppended appended:
                writer.Int(2, appended.Committed.Value);
                WireTypes.Write(writer, 3, appended.Batch);
                break;
            case Promised promised:
                writer.Int(2, promised.Epoch.Value);
                writer.String(3, promised.Candidate.Name);
                break;
            case ViewAccepted accepted:
                WireTypes.Write(writer, 2, accepted.View);
                foreach (var range in accepted.Dropped) WireTypes.Write(writer, 3, range);
                writer.Int(4, accepted.Committed.Value);
                break;
            case OrphansDropped dropped:
                foreach (var range in dropped.Dropped) WireTypes.Write(writer, 2, range);
                break;
            default:
                throw new ArgumentException($"No journal event is made of a {fact.GetType().Name}.", nameof(fact));
        }

        var bytes = writer.Written.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(1), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads an event. Its requests are slices of <paramref name="bytes"/>.</summary>
    /// <exception cref="FormatException">The event is damaged, or of a newer version.</exception>
    public static Fact Decode(string manifest, byte[] bytes)
    {
        if (bytes.Length < ChecksumField || bytes[0] != ChecksumTag
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(1)) != Checksum(bytes))
            throw new FormatException("The checksum of an event is wrong.");

        var content = bytes.AsMemory(ChecksumField);
        try
        {
            return manifest switch
            {
                "E" => ReadEntriesAppended(content),
                "P" => ReadPromised(content),
                "V" => ReadViewAccepted(content),
                "O" => ReadOrphansDropped(content),
                _ => throw new FormatException($"An event is of the unknown kind '{manifest}'."),
            };
        }
        catch (FormatException e)
        {
            // It is as it was written, by its checksum.
            throw new OtherFormException(e.Message);
        }
    }

    private static uint Checksum(byte[] bytes) => Crc32.HashToUInt32(bytes.AsSpan(ChecksumField));

    private static EntriesAppended ReadEntriesAppended(ReadOnlyMemory<byte> content)
    {
        long committed = 0;
        ReadOnlyMemory<byte>? batch = null;
        var reader = new WireReader(content);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 2: committed = reader.Int(); break;
                case 3: batch = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return new EntriesAppended(WireTypes.ReadBatch(batch ?? throw Missing("batch")), new Uid(committed));
    }

    private static Promised ReadPromised(ReadOnlyMemory<byte> content)
    {
        long epoch = 0;
        var candidate = "";
        var reader = new WireReader(content);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 2: epoch = reader.Int(); break;
                case 3: candidate = reader.String(); break;
                default: reader.Skip(); break;
            }
        }

        return new Promised(new Epoch(epoch), new NodeId(candidate));
    }

    private static ViewAccepted ReadViewAccepted(ReadOnlyMemory<byte> content)
    {
        // Of several the last one counts, and only that is made.
        ReadOnlyMemory<byte>? view = null;
        var dropped = new List<UidRange>();
        long committed = 0;
        var reader = new WireReader(content);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 2: view = reader.Bytes(); break;
                case 3: dropped.Add(WireTypes.ReadRange(reader.Bytes())); break;
                case 4: committed = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new ViewAccepted(
            WireTypes.ReadView(view ?? throw Missing("view")), [.. dropped], new Uid(committed));
    }

    private static OrphansDropped ReadOrphansDropped(ReadOnlyMemory<byte> content)
    {
        var dropped = new List<UidRange>();
        var reader = new WireReader(content);
        while (reader.Next() is var field and not 0)
        {
            if (field == 2) dropped.Add(WireTypes.ReadRange(reader.Bytes()));
            else reader.Skip();
        }

        return new OrphansDropped([.. dropped]);
    }

    private static FormatException Missing(string what) => new($"An event lacks its {what}.");
}
