namespace RecoverKV.Client.Contracts;

/// <summary>The wire form of the messages about the cluster and its nodes.</summary>
internal static class ClusterCodec
{
    internal static WireWriter Encode(ClusterViewRequest request) => WithId(request.Id);

    internal static ClusterViewRequest DecodeViewRequest(ReadOnlyMemory<byte> encoded) => new(DecodeId(encoded));

    internal static WireWriter Encode(NodeStatusRequest request) => WithId(request.Id);

    internal static NodeStatusRequest DecodeStatusRequest(ReadOnlyMemory<byte> encoded) => new(DecodeId(encoded));

    internal static WireWriter Encode(ClusterView view)
    {
        var writer = new WireWriter();
        Write(writer, view);
        return writer;
    }

    /// <summary>A view that accompanies another answer.</summary>
    internal static void Write(WireWriter writer, int field, ClusterView view)
    {
        var mark = writer.Begin(field);
        Write(writer, view);
        writer.End(mark);
    }

    internal static ClusterView DecodeView(ReadOnlyMemory<byte> encoded)
    {
        long id = 0, epoch = 0;
        string? sequencer = null;
        var nodes = new List<NodeAddress>();
        int maxKeyBytes = 0, maxValueBytes = 0, maxWriteBytes = 0, frameBytes = 0;
        var cluster = Guid.Empty;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: id = reader.Int(); break;
                case 2: epoch = reader.Int(); break;
                case 3: sequencer = reader.OptionalString(); break;
                case 4: ClientLimits.Add(nodes, DecodeAddress(reader.Bytes()), ClientLimits.Nodes); break;
                case 5: maxKeyBytes = reader.Int32(); break;
                case 6: maxValueBytes = reader.Int32(); break;
                case 7: cluster = reader.Id(); break;
                case 8: maxWriteBytes = reader.Int32(); break;
                case 9: frameBytes = reader.Int32(); break;
                default: reader.Skip(); break;
            }
        }

        return new ClusterView(
            id, epoch, sequencer, nodes, maxKeyBytes, maxValueBytes, cluster, maxWriteBytes, frameBytes);
    }

    internal static WireWriter Encode(NodeStatus status)
    {
        var writer = new WireWriter();
        writer.Int(1, status.Id);
        writer.String(2, status.Node);
        writer.String(3, status.Host);
        writer.Int(4, status.Port);
        writer.Int(5, status.ProcessId);
        writer.Int(6, (long)status.Mode);
        writer.Int(7, status.Epoch);
        writer.Bool(8, status.IsSequencer);
        writer.String(9, status.Sequencer);
        writer.Int(10, status.Uid);
        writer.Int(11, status.CommittedUid);
        writer.Int(12, status.Gap);
        writer.Int(13, status.Keys);
        writer.String(14, status.Reason);
        writer.Int(15, status.AppliedUid);
        writer.Int(16, status.Digest);
        writer.Bool(17, status.IsAlone);
        writer.Id(18, status.Cluster);
        return writer;
    }

    internal static NodeStatus DecodeStatus(ReadOnlyMemory<byte> encoded)
    {
        var status = new NodeStatus(0, "", "", 0, 0, NodeMode.Dead, 0, false, null, 0, 0, 0, 0);
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: status = status with { Id = reader.Int() }; break;
                case 2: status = status with { Node = reader.String() }; break;
                case 3: status = status with { Host = reader.String() }; break;
                case 4: status = status with { Port = reader.Int32() }; break;
                case 5: status = status with { ProcessId = reader.Int32() }; break;
                case 6: status = status with { Mode = reader.NodeMode() }; break;
                case 7: status = status with { Epoch = reader.Int() }; break;
                case 8: status = status with { IsSequencer = reader.Bool() }; break;
                case 9: status = status with { Sequencer = reader.OptionalString() }; break;
                case 10: status = status with { Uid = reader.Int() }; break;
                case 11: status = status with { CommittedUid = reader.Int() }; break;
                case 12: status = status with { Gap = reader.Int() }; break;
                case 13: status = status with { Keys = reader.Int() }; break;
                case 14: status = status with { Reason = reader.OptionalString() }; break;
                case 15: status = status with { AppliedUid = reader.Int() }; break;
                case 16: status = status with { Digest = reader.Int() }; break;
                case 17: status = status with { IsAlone = reader.Bool() }; break;
                case 18: status = status with { Cluster = reader.Id() }; break;
                default: reader.Skip(); break;
            }
        }

        return status;
    }

    private static void Write(WireWriter writer, ClusterView view)
    {
        writer.Int(1, view.Id);
        writer.Int(2, view.Epoch);
        writer.String(3, view.Sequencer);
        foreach (var node in view.Nodes)
        {
            var mark = writer.Begin(4);
            writer.String(1, node.Node);
            writer.String(2, node.Host);
            writer.Int(3, node.Port);
            writer.Bool(4, node.InSync);
            writer.End(mark);
        }

        writer.Int(5, view.MaxKeyBytes);
        writer.Int(6, view.MaxValueBytes);
        writer.Id(7, view.Cluster);
        writer.Int(8, view.MaxWriteBytes);
        writer.Int(9, view.FrameBytes);
    }

    private static NodeAddress DecodeAddress(ReadOnlyMemory<byte> encoded)
    {
        string node = "", host = "";
        var port = 0;
        var inSync = false;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            switch (field)
            {
                case 1: node = reader.String(); break;
                case 2: host = reader.String(); break;
                case 3: port = reader.Int32(); break;
                case 4: inSync = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new NodeAddress(node, host, port, inSync);
    }

    private static WireWriter WithId(long id)
    {
        var writer = new WireWriter(16);
        writer.Int(1, id);
        return writer;
    }

    private static long DecodeId(ReadOnlyMemory<byte> encoded)
    {
        long id = 0;
        var reader = new WireReader(encoded);
        while (reader.Next() is var field and not 0)
        {
            if (field == 1) id = reader.Int();
            else reader.Skip();
        }

        return id;
    }
}
