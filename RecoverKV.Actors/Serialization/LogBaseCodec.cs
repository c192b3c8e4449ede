using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>The form of a <see cref="LogBase"/> in a checkpoint: on the wire format of Protobuf, with the view of
/// journal.proto. Stateless.</summary>
internal static class LogBaseCodec
{
    /// <summary>Its bytes.</summary>
    public static byte[] Encode(LogBase value)
    {
        var writer = WireTypes.Writer();
        writer.Int(1, value.Applied.Value);
        writer.Int(2, value.Fact);
        writer.Int(3, value.ReplayFrom);
        writer.Int(4, value.Settled.Value);
        foreach (var piece in value.Index)
        {
            var mark = writer.Begin(5);
            writer.Int(1, piece.Range.First.Value);
            writer.Int(2, piece.Range.Last.Value);
            writer.Int(3, piece.First);
            writer.Int(4, piece.Last);
            writer.Int(5, piece.Facts);
            writer.Int(6, piece.Bytes);
            writer.End(mark);
        }

        writer.Int(6, value.Promised.Epoch.Value);
        writer.String(7, value.Promised.Candidate.Name);
        WireTypes.Write(writer, 8, value.View);
        writer.Int(9, value.Committed.Value);
        writer.Int(10, value.RightTo.Value);
        writer.Int(11, value.Compacted.Value);
        // Absent in checkpoints of builds that did not know it.
        writer.Int(12, value.ToldByView.Value + 1);
        return writer.Written.ToArray();
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static LogBase Decode(ReadOnlyMemory<byte> bytes)
    {
        long applied = 0, fact = 0, replayFrom = 0, settled = 0, epoch = 0, committed = 0, rightTo = 0, compacted = 0;
        long? told = null;
        var index = new List<FactPiece>();
        var candidate = "";
        var view = View.None;
        var reader = new WireReader(bytes);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: applied = reader.Int(); break;
                case 2: fact = reader.Int(); break;
                case 3: replayFrom = reader.Int(); break;
                case 4: settled = reader.Int(); break;
                case 5: index.Add(ReadPiece(reader.Bytes())); break;
                case 6: epoch = reader.Int(); break;
                case 7: candidate = reader.String(); break;
                case 8: view = WireTypes.ReadView(reader.Bytes()); break;
                case 9: committed = reader.Int(); break;
                case 10: rightTo = reader.Int(); break;
                case 11: compacted = reader.Int(); break;
                case 12: told = reader.Int() - 1; break;
                default: reader.Skip(); break;
            }
        }

        return new LogBase(
            new Uid(applied), fact, replayFrom, new Uid(settled), [.. index],
            new Promised(new Epoch(epoch), new NodeId(candidate)),
            view, new Uid(committed), new Uid(rightTo), new Uid(compacted), new Uid(told ?? committed));
    }

    private static FactPiece ReadPiece(ReadOnlyMemory<byte> encoded)
    {
        long first = 0, last = 0, firstFact = 0, lastFact = 0, bytes = 0;
        var facts = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: first = reader.Int(); break;
                case 2: last = reader.Int(); break;
                case 3: firstFact = reader.Int(); break;
                case 4: lastFact = reader.Int(); break;
                case 5: facts = reader.Int32(); break;
                case 6: bytes = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new FactPiece(new UidRange(new Uid(first), new Uid(last)), firstFact, lastFact, facts, bytes);
    }
}
