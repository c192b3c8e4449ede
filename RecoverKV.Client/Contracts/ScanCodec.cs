namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of the messages of scans. Keys and values are slices of the decoded buffer.</summary>
internal static class ScanCodec
{
    internal static WireWriter Encode(ScanRequest request)
    {
        var (from, to) = (request.Range.From, request.Range.To);
        var writer = new WireWriter(64 + request.Cursor.Length + from.Length + (to?.Length ?? 0));
        writer.Int(1, request.Id);
        writer.Int(2, (long)request.Consistency);
        writer.Bytes(3, request.Cursor.Span);
        writer.Int(4, request.MaxItems);
        writer.Id(5, request.Cluster);
        if (!from.IsEmpty || to is not null)
        {
            var mark = writer.Begin(6);
            writer.Bytes(1, from.Span);
            if (to is { } end) writer.AlwaysBytes(2, end.Span);
            writer.End(mark);
        }

        writer.Bool(7, request.Reverse);
        return writer;
    }

    internal static ScanRequest DecodeRequest(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var consistency = ReadConsistency.Linearizable;
        ReadOnlyMemory<byte> cursor = default;
        var maxItems = 0;
        var cluster = Guid.Empty;
        var range = KeyRange.All;
        var reverse = false;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: consistency = reader.ReadConsistency(); break;
                case 3: cursor = reader.Bytes(); break;
                case 4: maxItems = reader.Int32(); break;
                case 5: cluster = reader.Id(); break;
                case 6: range = DecodeRange(reader.Bytes()); break;
                case 7: reverse = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new ScanRequest(id, consistency, cursor, maxItems, cluster, range, reverse);
    }

    private static KeyRange DecodeRange(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> from = default;
        ReadOnlyMemory<byte>? to = null;
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

        return KeyRange.OfBounds(from, to);
    }

    internal static WireWriter Encode(ScanReply reply)
    {
        var size = 256 + reply.Next.Length;
        foreach (var item in reply.Items) size += item.Key.Length + item.Version.Value.Length + 32;
        var writer = new WireWriter(size);
        writer.Int(1, reply.Id);
        writer.Int(2, (long)reply.Status);
        foreach (var item in reply.Items)
        {
            var mark = writer.Begin(3);
            writer.Bytes(1, item.Key.Bytes.Span);
            WritesCodec.Write(writer, 2, item.Version);
            writer.End(mark);
        }

        writer.Bytes(4, reply.Next.Span);
        if (reply.View is { } view) ClusterCodec.Write(writer, 5, view);
        writer.String(6, reply.Text);
        writer.Int(7, reply.Uid);
        return writer;
    }

    internal static ScanReply DecodeReply(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var status = ReadStatus.Done;
        var items = new List<ScanItem>();
        ReadOnlyMemory<byte> next = default;
        ClusterView? view = null;
        string? text = null;
        long uid = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: status = reader.ReadStatus(); break;
                case 3: ClientLimits.Add(items, DecodeItem(reader.Bytes()), ClientLimits.ScanItems); break;
                case 4: next = reader.Bytes(); break;
                case 5: view = ClusterCodec.DecodeView(reader.Bytes()); break;
                case 6: text = reader.OptionalString(); break;
                case 7: uid = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new ScanReply(id, status, items, next, view, text, uid);
    }

    private static ScanItem DecodeItem(ReadOnlyMemory<byte> encoded)
    {
        ReadOnlyMemory<byte> key = default;
        Version? version = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: key = reader.Bytes(); break;
                case 2: version = WritesCodec.DecodeVersion(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return new ScanItem(new Key(key), version ?? throw new FormatException("The item has no version."));
    }
}
