using System.Runtime.CompilerServices;
using RecoverKV.Client;

namespace RecoverKV.Host.Bench.Loads;

/// <summary>
/// Gets and puts of the same keys at once. It knows of every key which of its writes were acknowledged, by their uids:
/// a read must give a value that was written for its key, and none that is older than what had been acknowledged when
/// the read began.
/// </summary>
internal sealed class MixedLoad(RecoverKvClient client, KeySpace keys, ValueForm values)
{
    private readonly long[] _uids = new long[keys.Count];
    private readonly int[] _versions = new int[keys.Count];
    private readonly int[] _issued = new int[keys.Count];
    private readonly bool[] _readBack = new bool[keys.Count];
    private readonly Lock[] _locks = [.. Enumerable.Range(0, 1024).Select(_ => new Lock())];
    private long _wrong;
    private string? _aWrong;

    /// <summary>Writes every key once.</summary>
    public Workload Fill => new FillWorkload(this);

    /// <summary>Reads back every key; again only those that could not be read before.</summary>
    public Workload ReadBack => new ReadBackWorkload(this);

    /// <summary>Gets and puts.</summary>
    public Workload Mix(double reads, Distribution distribution) => new MixWorkload(this, reads, distribution);

    /// <summary>What became of the acknowledged writes.</summary>
    public CheckResult Check()
    {
        long acknowledged = 0, readBack = 0;
        for (var i = 0; i < keys.Count; i++)
        {
            if (_uids[i] == 0) continue;
            acknowledged++;
            if (_readBack[i]) readBack++;
        }

        return new CheckResult(acknowledged, readBack, _wrong, _aWrong);
    }

    /// <summary>The uid of the last write of a key that was acknowledged up to now; 0 if none was.</summary>
    internal long Acknowledged(int key)
    {
        lock (LockOf(key)) return _uids[key];
    }

    /// <summary>The number of a write that is about to begin.</summary>
    internal int Issue(int key)
    {
        lock (LockOf(key)) return ++_issued[key];
    }

    /// <summary>A write was acknowledged.</summary>
    internal void Acknowledge(int key, int version, long uid)
    {
        lock (LockOf(key))
        {
            if (uid > _uids[key]) (_uids[key], _versions[key]) = (uid, version);
        }
    }

    /// <summary>Compares what a read gave; whether it is right.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="acknowledged">What <see cref="Acknowledged"/> said before it began.</param>
    /// <param name="uid">The uid that it gave; 0 if the key was absent.</param>
    /// <param name="value">The value that it gave.</param>
    internal bool Judge(int key, long acknowledged, long uid, ReadOnlySpan<byte> value)
    {
        var version = values.VersionOf(value, keys.First + key);
        lock (LockOf(key))
        {
            var fault = uid < acknowledged ? "it is older than an acknowledged write"
                : acknowledged == 0 && version == 0 ? null
                : version == 0 || version > _issued[key] ? "nobody wrote that value"
                : uid == _uids[key] && version != _versions[key] ? "another value was acknowledged with that uid"
                : null;
            if (fault is null) return true;
            _aWrong ??= $"{keys[key]} was read with uid {uid}, acknowledged uid {acknowledged}: {fault}";
        }

        Interlocked.Increment(ref _wrong);
        return false;
    }

    private Lock LockOf(int key) => _locks[key % _locks.Length];

    private async ValueTask PutAsync(Caller caller, int key)
    {
        var version = Issue(key);
        values.Write(caller.Buffer, keys.First + key, version);
        var written = await client.PutAsync(keys[key], caller.Buffer);
        Acknowledge(key, version, written.Uid);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> GetAsync(int key)
    {
        var acknowledged = Acknowledged(key);
        var found = await client.GetAsync(keys[key]);
        return Judge(key, acknowledged, found.Version?.Uid ?? 0, found.Version is { } v ? v.Value.Span : default);
    }

    private sealed class MixWorkload(MixedLoad load, double reads, Distribution distribution) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["puts", "gets"];

        public override int BufferSize => load.ValueSize;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        public override async ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            var key = distribution.Next(caller.Random);
            caller.Kind = caller.Random.NextDouble() < reads ? 1 : 0;
            if (caller.Kind == 0) await load.PutAsync(caller, key);
            else await load.GetAsync(key);
        }
    }

    private sealed class FillWorkload(MixedLoad load) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["fill"];

        public override int BufferSize => load.ValueSize;

        public override ValueTask ExecuteAsync(Caller caller, long ticket) => load.PutAsync(caller, (int)ticket);
    }

    private sealed class ReadBackWorkload(MixedLoad load) : Workload
    {
        public override IReadOnlyList<string> Kinds { get; } = ["read back"];

        public override int BufferSize => 0;

        public override async ValueTask ExecuteAsync(Caller caller, long ticket)
        {
            var key = (int)ticket;
            if (load._readBack[key] || load._uids[key] == 0) return;
            load._readBack[key] = await load.GetAsync(key);
        }
    }

    private int ValueSize => values.Size;
}
