using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Serialization;

/// <summary>R10: the form of parts of a state on their way to another replica (peer.proto). Stateless.</summary>
internal static class StateCodec
{
    // What a part may have: its bytes bound it anyway.
    private const int MostRecords = 1 << 20;

    public static void Write(WireWriter writer, int field, StateCursor cursor)
    {
        var mark = writer.Begin(field);
        writer.Bytes(1, cursor.Key.Span);
        writer.Int(2, cursor.Session);
        writer.Int(3, cursor.Answers);
        writer.End(mark);
    }

    public static StateCursor ReadCursor(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> key = default;
        long session = 0;
        var answers = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: key = reader.Bytes(); break;
                case 2: session = reader.Int(); break;
                case 3: answers = reader.Int32(); break;
                default: reader.Skip(); break;
            }
        }

        return new StateCursor(key, session, answers);
    }

    public static void Write(WireWriter writer, int field, StateSlice slice)
    {
        var mark = writer.Begin(field);
        writer.Bytes(1, slice.From.Span);
        writer.Bytes(2, slice.To.Span);
        writer.End(mark);
    }

    public static StateSlice ReadSlice(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> from = default, to = default;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: from = reader.Bytes(); break;
                case 2: to = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return new StateSlice(from, to);
    }

    /// <summary>A cursor, or a part, on its own: what a client that makes a backup sees.</summary>
    public static byte[] Encode(StateCursor cursor)
    {
        var writer = new WireWriter(64);
        Write(writer, 1, cursor);
        return writer.Written.ToArray();
    }

    /// <summary>As above.</summary>
    public static byte[] Encode(StateChunk chunk)
    {
        var writer = new WireWriter(4096);
        Write(writer, 1, chunk);
        return writer.Written.ToArray();
    }

    /// <summary>Reads what <see cref="Encode(StateCursor)"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are none.</exception>
    public static StateCursor DecodeCursor(ReadOnlyMemory<byte> bytes) =>
        ReadCursor(Only(bytes)) is { Session: >= 0, Answers: >= 0 } cursor
            ? cursor
            : throw new FormatException("The bytes are no place in a state.");

    /// <summary>Reads what <see cref="Encode(StateChunk)"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are none.</exception>
    public static StateChunk DecodeChunk(ReadOnlyMemory<byte> bytes) => ReadChunk(Only(bytes));

    private static ReadOnlyMemory<byte> Only(ReadOnlyMemory<byte> bytes)
    {
        var reader = new WireReader(bytes);
        return reader.Next() == 1 ? reader.Bytes() : throw new FormatException("The bytes are no part of a state.");
    }

    public static void Write(WireWriter writer, int field, StateChunk chunk)
    {
        var mark = writer.Begin(field);
        foreach (var record in chunk.Part.Keys) Write(writer, 1, record);
        foreach (var session in chunk.Part.Sessions) Write(writer, 2, session);
        if (chunk.Next is { } next) Write(writer, 3, next);
        Write(writer, 4, chunk.Totals);
        writer.End(mark);
    }

    public static StateChunk ReadChunk(ReadOnlyMemory<byte> encoded)
    {
        var part = new StatePart();
        StateCursor? next = null;
        StateTotals? totals = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: ClientLimits.Add(part.Keys, ReadRecord(reader.Bytes()), MostRecords); break;
                case 2: ClientLimits.Add(part.Sessions, ReadSession(reader.Bytes()), MostRecords); break;
                case 3: next = ReadCursor(reader.Bytes()); break;
                case 4: totals = ReadTotals(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return new StateChunk(
            part, next, totals ?? throw new FormatException("A part of a state does not say of which."));
    }

    private static void Write(WireWriter writer, int field, in KeyRecord record)
    {
        var mark = writer.Begin(field);
        writer.Bytes(1, record.Key.Span);
        writer.Bytes(2, record.Value.Span);
        writer.Int(3, record.Uid);
        writer.Int(4, record.Fields.Created);
        writer.Int(5, record.Fields.Modified);
        writer.Int(6, record.Fields.Version);
        writer.End(mark);
    }

    private static KeyRecord ReadRecord(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> key = default, value = default;
        long uid = 0, created = 0, modified = 0, version = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: key = reader.Bytes(); break;
                case 2: value = reader.Bytes(); break;
                case 3: uid = reader.Int(); break;
                case 4: created = reader.Int(); break;
                case 5: modified = reader.Int(); break;
                case 6: version = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new KeyRecord(key, value, uid, new RecordFields(created, modified, version));
    }

    private static void Write(WireWriter writer, int field, SessionRecord session)
    {
        var mark = writer.Begin(field);
        writer.Int(1, session.Id);
        writer.Int(2, session.LowWater);
        writer.Int(3, session.Used);
        writer.Bytes(4, SessionCodec.Encode(session.Answers));
        writer.End(mark);
    }

    private static SessionRecord ReadSession(ReadOnlyMemory<byte> encoded)
    {
        long id = 0, lowWater = 0, used = 0;
        byte[] answers = [];
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: lowWater = reader.Int(); break;
                case 3: used = reader.Int(); break;
                case 4: answers = reader.Bytes().ToArray(); break;
                default: reader.Skip(); break;
            }
        }

        return new SessionRecord(id, lowWater, used, SessionCodec.Decode(answers));
    }

    private static void Write(WireWriter writer, int field, StateTotals totals)
    {
        var mark = writer.Begin(field);
        writer.Int(1, totals.Revision);
        writer.Int(2, totals.Keys);
        writer.Int(3, (long)totals.Digest);
        writer.Int(4, totals.Sessions);
        writer.Int(5, totals.SessionBytes);
        writer.End(mark);
    }

    private static StateTotals ReadTotals(ReadOnlyMemory<byte> encoded)
    {
        long revision = 0, keys = 0, digest = 0, sessions = 0, bytes = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: revision = reader.Int(); break;
                case 2: keys = reader.Int(); break;
                case 3: digest = reader.Int(); break;
                case 4: sessions = reader.Int(); break;
                case 5: bytes = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new StateTotals(revision, keys, (ulong)digest, sessions, bytes);
    }
}
