namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of the messages of administration, and of those that name a manifest.</summary>
internal static class AdminCodec
{
    internal static WireWriter Encode(StopNode stop)
    {
        var writer = new WireWriter(16);
        writer.Int(1, stop.Id);
        writer.Bool(2, stop.Clean);
        writer.String(3, stop.Secret);
        return writer;
    }

    internal static StopNode DecodeStop(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var clean = false;
        string? secret = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: clean = reader.Bool(); break;
                case 3: secret = reader.OptionalString(); break;
                default: reader.Skip(); break;
            }
        }

        return new StopNode(id, clean, secret);
    }

    internal static WireWriter Encode(PartitionNode partition)
    {
        var writer = new WireWriter();
        writer.Int(1, partition.Id);
        writer.Bool(2, partition.Cut);
        foreach (var node in partition.Reachable) writer.AlwaysString(3, node);
        writer.Bool(4, partition.HealingOnly);
        writer.String(5, partition.Secret);
        return writer;
    }

    internal static PartitionNode DecodePartition(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        bool cut = false, healingOnly = false;
        string? secret = null;
        var reachable = new List<string>();
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: cut = reader.Bool(); break;
                case 3: ClientLimits.Add(reachable, reader.String(), ClientLimits.Nodes); break;
                case 4: healingOnly = reader.Bool(); break;
                case 5: secret = reader.OptionalString(); break;
                default: reader.Skip(); break;
            }
        }

        return new PartitionNode(id, cut, reachable, healingOnly, secret);
    }

    internal static WireWriter Encode(CheckpointNode checkpoint)
    {
        var writer = new WireWriter(16);
        writer.Int(1, checkpoint.Id);
        return writer;
    }

    internal static CheckpointNode DecodeCheckpoint(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            if (field == 1) id = reader.Int();
            else reader.Skip();
        }

        return new CheckpointNode(id);
    }

    internal static WireWriter Encode(BackupRequest request)
    {
        var writer = new WireWriter();
        writer.Int(1, request.Id);
        writer.Int(2, request.At);
        writer.Bytes(3, request.After.Span);
        return writer;
    }

    internal static BackupRequest DecodeBackupRequest(ReadOnlyMemory<byte> encoded)
    {
        long id = 0, at = 0;
        ReadOnlyMemory<byte> after = default;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: at = reader.Int(); break;
                case 3: after = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return new BackupRequest(id, at, after);
    }

    internal static WireWriter Encode(BackupPart part)
    {
        var writer = new WireWriter(part.Part.Length + 64);
        writer.Int(1, part.Id);
        writer.Int(2, part.At);
        writer.Bytes(3, part.Part.Span);
        writer.Id(4, part.Cluster);
        writer.Int(5, part.FrameSize);
        return writer;
    }

    internal static BackupPart DecodeBackupPart(ReadOnlyMemory<byte> encoded)
    {
        long id = 0, at = 0;
        ReadOnlyMemory<byte> part = default;
        var cluster = Guid.Empty;
        var frame = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: at = reader.Int(); break;
                case 3: part = reader.Bytes(); break;
                case 4: cluster = reader.Id(); break;
                case 5: frame = reader.Int32(); break;
                default: reader.Skip(); break;
            }
        }

        return new BackupPart(id, at, part, cluster, frame);
    }

    internal static WireWriter Encode(AdminReply reply)
    {
        var writer = new WireWriter();
        writer.Int(1, reply.Id);
        writer.Bool(2, reply.Done);
        writer.String(3, reply.Text);
        return writer;
    }

    internal static AdminReply DecodeReply(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var done = false;
        string? text = null;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: done = reader.Bool(); break;
                case 3: text = reader.OptionalString(); break;
                default: reader.Skip(); break;
            }
        }

        return new AdminReply(id, done, text);
    }

    internal static WireWriter EncodeManifest(string manifest)
    {
        var writer = new WireWriter(manifest.Length + 16);
        writer.String(1, manifest);
        return writer;
    }

    internal static string DecodeManifest(ReadOnlyMemory<byte> encoded)
    {
        var manifest = "";
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            if (field == 1) manifest = reader.String();
            else reader.Skip();
        }

        return manifest;
    }
}
