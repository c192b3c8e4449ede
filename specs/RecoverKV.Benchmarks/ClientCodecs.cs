using BenchmarkDotNet.Attributes;
using RecoverKV.Client.Contracts;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Benchmarks;

/// <summary>Messages between clients and nodes, to bytes and back.</summary>
[MemoryDiagnoser]
public class ClientCodecs
{
    private WriteBatch _writes = null!;
    private WriteReplies _written = null!;
    private ReadBatch _reads = null!;
    private ReadReplies _read = null!;
    private byte[] _writesBytes = null!;
    private byte[] _writtenBytes = null!;
    private byte[] _readsBytes = null!;
    private byte[] _readBytes = null!;

    /// <summary>How many calls are in a message.</summary>
    [Params(1, 64, 512)]
    public int Calls { get; set; }

    /// <summary>Makes the messages.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var version = new Version(new byte[100], 12345);
        var numbers = Enumerable.Range(1, Calls).ToArray();
        _writes = new WriteBatch(Given.Requests(Calls));
        _written = new WriteReplies(
            [.. numbers.Select(n => new WriteAnswer(Given.Session, n, WriteStatus.Done, n, [version]))]);
        _reads = new ReadBatch(ReadConsistency.Linearizable, Given.Reads(Calls));
        _read = new ReadReplies([.. numbers.Select(n => new ReadAnswer(n, ReadStatus.Done, [version]))]);
        (_writesBytes, _writtenBytes) = (EncodeWrites(), EncodeWritten());
        (_readsBytes, _readBytes) = (EncodeReads(), EncodeRead());
    }

    /// <summary>A request to its wire form, by the client.</summary>
    [Benchmark]
    public WriteRequest CreateRequest() =>
        WriteRequestCodec.Create(Given.Session, Calls, 0, _writes.Requests[0].Operations);

    /// <summary>Client to node.</summary>
    [Benchmark]
    public byte[] EncodeWrites() => WritesCodec.Encode(_writes).ToArray();

    /// <summary>Client to node.</summary>
    [Benchmark]
    public object DecodeWrites() => WritesCodec.DecodeBatch(_writesBytes);

    /// <summary>Node to client.</summary>
    [Benchmark]
    public byte[] EncodeWritten() => WritesCodec.Encode(_written).ToArray();

    /// <summary>Node to client.</summary>
    [Benchmark]
    public object DecodeWritten() => WritesCodec.DecodeReplies(_writtenBytes);

    /// <summary>Client to node.</summary>
    [Benchmark]
    public byte[] EncodeReads() => ReadsCodec.Encode(_reads).ToArray();

    /// <summary>Client to node.</summary>
    [Benchmark]
    public object DecodeReads() => ReadsCodec.DecodeBatch(_readsBytes);

    /// <summary>Node to client.</summary>
    [Benchmark]
    public byte[] EncodeRead() => ReadsCodec.Encode(_read).ToArray();

    /// <summary>Node to client.</summary>
    [Benchmark]
    public object DecodeRead() => ReadsCodec.DecodeReplies(_readBytes);
}
