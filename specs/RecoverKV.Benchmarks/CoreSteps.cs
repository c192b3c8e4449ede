using BenchmarkDotNet.Attributes;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Benchmarks;

/// <summary>What the core of one replica does for a batch of writes, from its arrival to its commit, and for reads.
/// </summary>
[MemoryDiagnoser]
public class CoreSteps
{
    private readonly RequestStream _stream = new();
    private CoreEnvironment _environment = null!;
    private ReplicaCore _sequencer = null!;
    private ReplicaCore _follower = null!;
    private MemberId[] _followers = null!;
    private Read[] _reads = null!;
    private Uid _next;

    /// <summary>How many requests are in a batch.</summary>
    [Params(1, 64, 512)]
    public int Batch { get; set; }

    /// <summary>Elects a sequencer.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _environment = new CoreEnvironment();
        _sequencer = _environment.Sequencer;
        _follower = _environment.Followers[0];
        _followers = [.. _environment.Followers.Select(f => f.Options.Self)];
        _next = _follower.Contiguous.Next;
        _reads = Given.Reads(Batch);
    }

    /// <summary>Submitted, journalled, sent, acknowledged by both followers, committed, applied, answered.</summary>
    [Benchmark]
    public int Sequencer()
    {
        var now = _environment.Now;
        _sequencer.Submit(now, CoreEnvironment.Caller.Instance, _stream.Next(Batch));
        var last = _sequencer.Contiguous + Batch;
        _sequencer.Persisted(now, _sequencer.FactCount);
        foreach (var follower in _followers)
            _sequencer.Receive(
                now, Given.Header(_sequencer, follower), new Appended(_sequencer.View.Epoch, last, last));
        if (_sequencer.Committed != last) throw new InvalidOperationException("the batch was not committed");
        return Clear(_sequencer);
    }

    /// <summary>Received, journalled, acknowledged, committed, applied.</summary>
    [Benchmark]
    public int Follower()
    {
        var (now, epoch, leader) = (_environment.Now, _follower.View.Epoch, _sequencer.Options.Self);
        var batch = new Batch(epoch, _next, _stream.Next(Batch));
        _follower.Receive(now, Given.Header(_follower, leader), new Append(epoch, batch, _next.Previous));
        _follower.Persisted(now, _follower.FactCount);
        _follower.Receive(now, Given.Header(_follower, leader), new Commit(epoch, batch.Last));
        if (_follower.Committed != batch.Last) throw new InvalidOperationException("the batch was not applied");
        _next = batch.Last.Next;
        return Clear(_follower);
    }

    /// <summary>Linearizable reads of committed keys, answered at once.</summary>
    [Benchmark]
    public int Reads()
    {
        foreach (var read in _reads)
            _follower.Read(_environment.Now, CoreEnvironment.Caller.Instance, ReadConsistency.Linearizable, read);
        return Clear(_follower);
    }

    private static int Clear(ReplicaCore core)
    {
        var effects = core.Effects.Count;
        core.Effects.Clear();
        return effects;
    }
}
