namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of the messages of reads. Keys and values are slices of the decoded buffer.</summary>
internal static class ReadsCodec
{
    internal static WireWriter Encode(ReadBatch batch)
    {
        var size = 48;
        foreach (var read in batch.Reads)
        {
            size += 16;
            foreach (var key in read.Keys) size += key.Length + 4;
        }

        var writer = new WireWriter(size);
        writer.Int(1, (long)batch.Consistency);
        foreach (var read in batch.Reads)
        {
            var mark = writer.Begin(2);
            writer.Int(1, read.Id);
            foreach (var key in read.Keys) writer.AlwaysBytes(2, key.Bytes.Span);
            writer.End(mark);
        }

        writer.Id(3, batch.Cluster);
        return writer;
    }

    internal static ReadBatch DecodeBatch(ReadOnlyMemory<byte> encoded)
    {
        var consistency = ReadConsistency.Linearizable;
        var reads = new List<Read>();
        var keys = 0;
        var cluster = Guid.Empty;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: consistency = reader.ReadConsistency(); break;
                case 2:
                    var read = DecodeRead(reader.Bytes());
                    keys += read.Keys.Count;
                    if (keys > ClientLimits.KeysOfBatch) throw new FormatException("The message has too many keys.");
                    ClientLimits.Add(reads, read, ClientLimits.BatchItems);
                    break;
                case 3: cluster = reader.Id(); break;
                default: reader.Skip(); break;
            }
        }

        return new ReadBatch(consistency, reads, cluster);
    }

    internal static WireWriter Encode(ReadReplies replies)
    {
        var size = 256;
        foreach (var answer in replies.Answers)
        {
            size += 32;
            foreach (var version in answer.Versions) size += version is null ? 2 : version.Value.Length + 24;
        }

        var writer = new WireWriter(size);
        foreach (var answer in replies.Answers)
        {
            var mark = writer.Begin(1);
            writer.Int(1, answer.Id);
            writer.Int(2, (long)answer.Status);
            foreach (var version in answer.Versions) WritesCodec.Write(writer, 3, version);
            writer.Int(4, answer.AgeMilliseconds);
            writer.String(5, answer.Text);
            writer.End(mark);
        }

        if (replies.View is { } view) ClusterCodec.Write(writer, 2, view);
        return writer;
    }

    internal static ReadReplies DecodeReplies(ReadOnlyMemory<byte> encoded)
    {
        var answers = new List<ReadAnswer>();
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

        return new ReadReplies(answers, view);
    }

    private static Read DecodeRead(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var keys = new List<Key>(1);
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: ClientLimits.Add(keys, new Key(reader.Bytes()), ClientLimits.KeysOfRead); break;
                default: reader.Skip(); break;
            }
        }

        return new Read(id, keys);
    }

    private static ReadAnswer DecodeAnswer(ReadOnlyMemory<byte> encoded)
    {
        long id = 0, age = 0;
        var status = ReadStatus.Done;
        List<Version?>? versions = null;
        string? text = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: status = reader.ReadStatus(); break;
                case 3:
                    var version = WritesCodec.DecodeVersion(reader.Bytes());
                    ClientLimits.Add(versions ??= new(1), version, ClientLimits.KeysOfRead);
                    break;
                case 4: age = reader.Int(); break;
                case 5: text = reader.OptionalString(); break;
                default: reader.Skip(); break;
            }
        }

        return new ReadAnswer(id, status, versions is null ? [] : versions, age, text);
    }
}
