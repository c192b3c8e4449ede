namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of the messages of writes. Values are slices of the decoded buffer.</summary>
internal static class WritesCodec
{
    internal static WireWriter Encode(WriteBatch batch)
    {
        var size = 48;
        foreach (var request in batch.Requests) size += request.Encoded.Length + 8;
        var writer = new WireWriter(size);
        foreach (var request in batch.Requests) writer.AlwaysBytes(1, request.Encoded.Span);
        writer.Id(2, batch.Cluster);
        return writer;
    }

    internal static WriteBatch DecodeBatch(ReadOnlyMemory<byte> encoded)
    {
        var requests = new List<WriteRequest>();
        var operations = 0;
        var cluster = Guid.Empty;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1:
                    var request = WriteRequestCodec.Decode(reader.Bytes());
                    operations += request.Operations.Count;
                    if (operations > ClientLimits.OperationsOfBatch)
                        throw new FormatException("The message has too many operations.");
                    ClientLimits.Add(requests, request, ClientLimits.BatchItems);
                    break;
                case 2: cluster = reader.Id(); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteBatch(requests, cluster);
    }

    internal static WireWriter Encode(WriteReplies replies)
    {
        var size = 256;
        foreach (var answer in replies.Answers)
        {
            size += 48;
            foreach (var previous in answer.Previous) size += previous is null ? 2 : previous.Value.Length + 24;
        }

        var writer = new WireWriter(size);
        foreach (var answer in replies.Answers)
        {
            var mark = writer.Begin(1);
            writer.Int(1, answer.Session);
            writer.Int(2, answer.Number);
            writer.Int(3, (long)answer.Status);
            writer.Int(4, answer.Uid);
            foreach (var previous in answer.Previous) Write(writer, 5, previous);
            writer.String(6, answer.Text);
            writer.Bool(7, answer.PreviousOmitted);
            writer.End(mark);
        }

        if (replies.View is { } view) ClusterCodec.Write(writer, 2, view);
        return writer;
    }

    internal static WriteReplies DecodeReplies(ReadOnlyMemory<byte> encoded)
    {
        var answers = new List<WriteAnswer>();
        ClusterView? view = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: ClientLimits.Add(answers, DecodeAnswer(reader.Bytes()), ClientLimits.BatchItems); break;
                case 2: view = ClusterCodec.DecodeView(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteReplies(answers, view);
    }

    /// <summary>A version in a list; uid 0, which no write has, stands for an absent key.</summary>
    internal static void Write(WireWriter writer, int field, Version? version)
    {
        var mark = writer.Begin(field);
        if (version is not null)
        {
            writer.Bytes(1, version.Value.Span);
            writer.Int(2, version.Uid);
        }

        writer.End(mark);
    }

    internal static Version? DecodeVersion(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> value = default;
        long uid = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: value = reader.Bytes(); break;
                case 2: uid = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return uid == 0 ? null : new Version(value, uid);
    }

    private static WriteAnswer DecodeAnswer(ReadOnlyMemory<byte> encoded)
    {
        long session = 0, number = 0, uid = 0;
        var status = WriteStatus.Done;
        List<Version?>? previous = null;
        string? text = null;
        var omitted = false;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: session = reader.Int(); break;
                case 2: number = reader.Int(); break;
                case 3: status = reader.WriteStatus(); break;
                case 4: uid = reader.Int(); break;
                case 5:
                    ClientLimits.Add(previous ??= new(1), DecodeVersion(reader.Bytes()), ClientLimits.Operations);
                    break;
                case 6: text = reader.OptionalString(); break;
                case 7: omitted = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteAnswer(session, number, status, uid, previous is null ? [] : previous, text, omitted);
    }
}
