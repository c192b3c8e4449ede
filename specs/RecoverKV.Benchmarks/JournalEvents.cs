using BenchmarkDotNet.Attributes;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;

namespace RecoverKV.Benchmarks;

/// <summary>The journal's event of a batch, to bytes and back; its checksum included.</summary>
[MemoryDiagnoser]
public class JournalEvents
{
    private readonly FactSerializer _serializer = new(null!);
    private EntriesAppended _fact = null!;
    private byte[] _bytes = null!;

    /// <summary>How many entries are in the batch.</summary>
    [Params(1, 64, 512)]
    public int Entries { get; set; }

    /// <summary>Makes the event.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _fact = new EntriesAppended(Given.Batch(Entries), new Uid(1));
        _bytes = Encode();
    }

    /// <summary>To the journal.</summary>
    [Benchmark]
    public byte[] Encode() => _serializer.ToBinary(_fact);

    /// <summary>From the journal.</summary>
    [Benchmark]
    public object Decode() => _serializer.FromBinary(_bytes, "E");
}
