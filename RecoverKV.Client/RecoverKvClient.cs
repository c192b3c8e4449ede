using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>Options of a <see cref="RecoverKvClient"/>.</summary>
public sealed record RecoverKvClientOptions
{
    /// <summary>Every call ends within this time, with an answer or an error.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long <see cref="RecoverKvClient.ConnectAsync"/> looks for a node that answers.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>A key was read: its version, or null if it is absent.</summary>
/// <param name="Version">Value and uid of the write that stored it; null: absent.</param>
/// <param name="Age">Zero for a linearizable read; for a stale one how old the state may be, null if unknown.</param>
public readonly record struct GetResult(Contracts.Version? Version, TimeSpan? Age);

/// <summary>A write was committed.</summary>
/// <param name="Applied">False if a condition did not hold: nothing was changed.</param>
/// <param name="Uid">Its place in the order of writes.</param>
/// <param name="Previous">For each operation the version before the write, null if the key was absent.</param>
public sealed record WriteResult(bool Applied, long Uid, IReadOnlyList<Contracts.Version?> Previous);

/// <summary>The state of the cluster as far as it could be reached.</summary>
/// <param name="Nodes">Every configured node; those that did not answer are DEAD.</param>
public sealed record ClusterStatus(IReadOnlyList<NodeStatus> Nodes);

/// <summary>Any failure of a call.</summary>
public class RecoverKvException : Exception
{
    /// <summary>With a message of one line.</summary>
    public RecoverKvException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The call was not done, and will not be: nothing was changed.</summary>
public sealed class NotDoneException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public NotDoneException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The write may or may not have been done, or may still be done.</summary>
public sealed class OutcomeUnknownException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public OutcomeUnknownException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The request breaks a limit of the store (empty or oversized key, oversized value); not done.</summary>
public sealed class InvalidRequestException : RecoverKvException
{
    /// <summary>With a message of one line.</summary>
    public InvalidRequestException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The client. Skeleton.</summary>
public sealed class RecoverKvClient : IAsyncDisposable
{
    public static Task<RecoverKvClient> ConnectAsync(IEnumerable<string> contactPoints, RecoverKvClientOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> PutAsync(Key key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> PutAsync(Key key, string value, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> DeleteAsync(Key key, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> CompareAndSetAsync(Key key, ReadOnlyMemory<byte> value, long expectedUid, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> CompareAndSetAsync(Key key, string value, long expectedUid, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<WriteResult> WriteAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<GetResult> GetAsync(Key key, ReadConsistency consistency = ReadConsistency.Linearizable, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<IReadOnlyList<GetResult>> GetManyAsync(IReadOnlyList<Key> keys, ReadConsistency consistency = ReadConsistency.Linearizable, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public IAsyncEnumerable<ScanItem> ScanAsync(ReadConsistency consistency = ReadConsistency.Linearizable, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task<ClusterStatus> GetStatusAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public Task StopNodeAsync(string node, bool clean = true, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>Null reachable restores every link; healingOnly limits the healing of gaps only.</summary>
    public Task PartitionAsync(string node, IReadOnlyList<string>? reachable, bool healingOnly = false, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
