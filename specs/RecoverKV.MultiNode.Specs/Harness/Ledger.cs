using System.Collections.Concurrent;
using RecoverKV.Client;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.MultiNode.Specs.Harness;

/// <summary>
/// What a store must hold: every write goes to a key of its own, so that each of them can be told there or not.
/// Thread-safe.
/// </summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<Key, Write> _writes = new();
    private int _acknowledged;

    private sealed record Write(byte[] Value, long? Uid);

    /// <summary>How many writes were acknowledged.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>A write that may take effect from now on.</summary>
    public void Attempt(Key key, byte[] value) =>
        Assert.True(_writes.TryAdd(key, new Write(value, null)), $"{key} is written twice");

    /// <summary>A write that must be there from now on.</summary>
    public void Acknowledge(Key key, long uid)
    {
        _writes[key] = _writes[key] with { Uid = uid };
        Interlocked.Increment(ref _acknowledged);
    }

    /// <summary>The acknowledged writes are all there, and nothing that was never written.</summary>
    public void AssertIs(IReadOnlyDictionary<Key, Version> state, string where)
    {
        foreach (var (key, write) in _writes)
        {
            if (write.Uid is not { } uid) continue;
            Assert.True(
                state.TryGetValue(key, out var version), $"{where} lost the acknowledged write of {key}, uid {uid}");
            Assert.True(version.Uid == uid, $"{where} has {key} of uid {version.Uid}, acknowledged was {uid}");
        }

        foreach (var (key, version) in state)
        {
            Assert.True(_writes.TryGetValue(key, out var write), $"{where} has {key}, which was never written");
            Assert.True(version.Value.Span.SequenceEqual(write.Value), $"{where} has another value of {key}");
        }
    }
}
