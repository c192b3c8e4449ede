using BenchmarkDotNet.Attributes;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;

namespace RecoverKV.Benchmarks;

/// <summary>The replicated state: what is done at each commit, and for each read.</summary>
[MemoryDiagnoser]
public class StateMachine
{
    private readonly RequestStream _stream = new();
    private readonly KeyValueState _state = new();
    private long _reads;

    /// <summary>How many requests are applied one after the other.</summary>
    [Params(64)]
    public int Entries { get; set; }

    /// <summary>Every key is there once.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _state.Apply(_state.Applied.Next, Given.Opening);
        for (var i = 0; i < Given.Keys / Entries + 1; i++) Apply();
    }

    /// <summary>Overwrites.</summary>
    [Benchmark]
    public void Apply()
    {
        foreach (var request in _stream.Next(Entries)) _state.Apply(_state.Applied.Next, request);
    }

    /// <summary>Look-ups.</summary>
    [Benchmark]
    public int Find()
    {
        var found = 0;
        for (var i = 0; i < Entries; i++)
        {
            if (_state.Find(Given.Key(++_reads)) is not null) found++;
        }

        return found;
    }
}
