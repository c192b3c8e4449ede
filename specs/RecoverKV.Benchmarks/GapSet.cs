using BenchmarkDotNet.Attributes;
using RecoverKV.Actors.Protocol;

namespace RecoverKV.Benchmarks;

/// <summary>The set of uids that a replica holds, with so many gaps in it.</summary>
[MemoryDiagnoser]
public class GapSet
{
    private const int Piece = 64;
    private readonly UidSet _set = new();
    private long _next;

    /// <summary>How many gaps there are.</summary>
    [Params(0, 10, 1000)]
    public int Gaps { get; set; }

    /// <summary>Pieces of 64 uids, with as much missing between them.</summary>
    [GlobalSetup]
    public void Setup()
    {
        for (var i = 0; i <= Gaps; i++) _set.Add(RangeFrom(1 + 2L * Piece * i));
        _next = _set.Highest.Value + 1;
    }

    /// <summary>A batch at the tail, as in steady state.</summary>
    [Benchmark]
    public void AddAtTheTail()
    {
        _set.Add(RangeFrom(_next));
        _next += Piece;
    }

    /// <summary>A gap that closes, and opens again.</summary>
    [Benchmark]
    public void FillAndDrop()
    {
        var gap = RangeFrom(1 + Piece + 2L * Piece * (Gaps / 2));
        _set.Add(gap);
        _set.Remove(gap);
    }

    /// <summary>The gaps, one by one.</summary>
    [Benchmark]
    public long Missing()
    {
        long missing = 0;
        foreach (var gap in _set.Missing(new UidRange(new Uid(1), _set.Highest))) missing += gap.Count;
        return missing;
    }

    /// <summary>A look-up.</summary>
    [Benchmark]
    public bool Contains() => _set.Contains(new Uid(1 + Piece * Gaps));

    private static UidRange RangeFrom(long first) => new(new Uid(first), new Uid(first + Piece - 1));
}
