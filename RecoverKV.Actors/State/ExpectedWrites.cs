using RecoverKV.Actors.Protocol;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>R5: the keys of writes that may already be committed elsewhere: on this replica's disk, acknowledged, and
/// not known to be committed. A read of such a key waits. Not thread-safe.</summary>
internal sealed class ExpectedWrites
{
    private readonly Dictionary<Key, Uid> _lastOf = [];

    /// <summary>The request is expected at the uid, which is above all others so far.</summary>
    public void Add(Uid uid, WriteRequest request)
    {
        foreach (var operation in request.Operations) _lastOf[operation.Key] = uid;
    }

    /// <summary>The request at the uid is expected no more, nor are those below it.</summary>
    public void Remove(Uid uid, WriteRequest request)
    {
        if (_lastOf.Count == 0) return;
        foreach (var operation in request.Operations)
            if (_lastOf.TryGetValue(operation.Key, out var last) && last <= uid) _lastOf.Remove(operation.Key);
    }

    /// <summary>Nothing is expected.</summary>
    public void Clear() => _lastOf.Clear();

    /// <summary>The last uid that writes a key of the read; zero if none is expected to.</summary>
    public Uid LastOf(Read read)
    {
        var last = Uid.Zero;
        if (_lastOf.Count == 0) return last;
        foreach (var key in read.Keys)
            if (_lastOf.TryGetValue(key, out var uid)) last = Uid.Max(last, uid);
        return last;
    }
}
