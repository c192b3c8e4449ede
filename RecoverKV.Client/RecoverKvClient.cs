using System.Text;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;

namespace RecoverKV.Client;

/// <summary>
/// A client of a RecoverKV cluster. One instance serves a whole process: it is thread-safe, gathers concurrent calls
/// into few messages, finds the nodes from any one of them, and goes on by itself when nodes die and come back.
/// </summary>
/// <remarks>
/// <para>Every call ends within <see cref="RecoverKvClientOptions.Deadline"/>: with its result, or with a
/// <see cref="NotDoneException"/> (nothing was changed), an <see cref="OutcomeUnknownException"/> (a write that may or
/// may not have been done) or an <see cref="InvalidRequestException"/> (a limit is broken). A write is sent again until
/// it is answered and still takes effect at most once (R9).</para>
/// <para>A client keeps to the store that it found (R12). Once most nodes are of another one, as after a store was made
/// anew at the same addresses, its calls end with a <see cref="NotDoneException"/> that says so, and a new client is
/// needed.</para>
/// <para>Cancelling a call ends the wait, not a write that is already under way: it may still be done.</para>
/// <para>Calls that run at the same time have no order among each other. The memory of keys, values and lists must
/// not change until the call has ended.</para>
/// </remarks>
public sealed partial class RecoverKvClient : IAsyncDisposable
{
    /// <summary>
    /// Finds the cluster and connects to it.
    /// </summary>
    /// <param name="contactPoints">One or several nodes as <c>host:port</c>; one that runs is enough.</param>
    /// <param name="options">Deadlines.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentException">A contact point or an option is none.</exception>
    /// <exception cref="NotDoneException">No node answered within the time to connect.</exception>
    public static Task<RecoverKvClient> ConnectAsync(
        IEnumerable<string> contactPoints, RecoverKvClientOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new RecoverKvClientOptions();
        options.Validate();
        return FindClusterAsync(ContactPoint.ParseAll(contactPoints), options, cancellationToken);
    }

    /// <summary>Stores a value.</summary>
    public Task<WriteResult> PutAsync(
        Key key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default) =>
        PutAsync(key, value, returnPrevious: false, cancellationToken);

    /// <summary>Stores a value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value to store.</param>
    /// <param name="returnPrevious">Whether the result shall have the version that was replaced; it costs the nodes to
    /// look it up, and the network to carry it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<WriteResult> PutAsync(
        Key key, ReadOnlyMemory<byte> value, bool returnPrevious, CancellationToken cancellationToken = default) =>
        WriteAsync([new WriteOperation(OperationKind.Put, key, value)], returnPrevious, cancellationToken);

    /// <summary>Stores the UTF-8 form of a string.</summary>
    public Task<WriteResult> PutAsync(Key key, string value, CancellationToken cancellationToken = default) =>
        PutAsync(key, Encoding.UTF8.GetBytes(value), cancellationToken);

    /// <summary>Stores the UTF-8 form of a string; the result has the version that was replaced, if that is asked
    /// for.</summary>
    public Task<WriteResult> PutAsync(
        Key key, string value, bool returnPrevious, CancellationToken cancellationToken = default) =>
        PutAsync(key, Encoding.UTF8.GetBytes(value), returnPrevious, cancellationToken);

    /// <summary>Stores a value if the key is absent.</summary>
    public Task<WriteResult> PutIfAbsentAsync(
        Key key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default) =>
        CompareAndSetAsync(key, value, 0, cancellationToken);

    /// <summary>Stores the UTF-8 form of a string if the key is absent.</summary>
    public Task<WriteResult> PutIfAbsentAsync(Key key, string value, CancellationToken cancellationToken = default) =>
        CompareAndSetAsync(key, value, 0, cancellationToken);

    /// <summary>Removes a key; no effect if it is absent.</summary>
    public Task<WriteResult> DeleteAsync(Key key, CancellationToken cancellationToken = default) =>
        DeleteAsync(key, returnPrevious: false, cancellationToken);

    /// <summary>Removes a key; the result has the version that was removed (null: it was absent), if that is asked
    /// for.</summary>
    public Task<WriteResult> DeleteAsync(
        Key key, bool returnPrevious, CancellationToken cancellationToken = default) =>
        WriteAsync([new WriteOperation(OperationKind.Delete, key, default)], returnPrevious, cancellationToken);

    /// <summary>
    /// Stores a value if the key still has the version that was seen.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value to store.</param>
    /// <param name="expectedUid">The uid of the version that the key must have; 0: it must be absent.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see cref="WriteResult.Applied"/> says whether it had.</returns>
    public Task<WriteResult> CompareAndSetAsync(
        Key key, ReadOnlyMemory<byte> value, long expectedUid, CancellationToken cancellationToken = default) =>
        CompareAndSetAsync(key, value, expectedUid, returnPrevious: false, cancellationToken);

    /// <summary>
    /// Stores a value if the key still has the version that was seen (0: is absent); the result has the version that it
    /// had, whether or not it was that one, if that is asked for.
    /// </summary>
    public Task<WriteResult> CompareAndSetAsync(
        Key key, ReadOnlyMemory<byte> value, long expectedUid, bool returnPrevious,
        CancellationToken cancellationToken = default) =>
        WriteAsync([new WriteOperation(OperationKind.Put, key, value, expectedUid)], returnPrevious, cancellationToken);

    /// <summary>As above, of the UTF-8 form of a string.</summary>
    public Task<WriteResult> CompareAndSetAsync(
        Key key, string value, long expectedUid, bool returnPrevious, CancellationToken cancellationToken = default) =>
        CompareAndSetAsync(key, Encoding.UTF8.GetBytes(value), expectedUid, returnPrevious, cancellationToken);

    /// <summary>Stores the UTF-8 form of a string if the key still has the version that was seen (0: is
    /// absent).</summary>
    public Task<WriteResult> CompareAndSetAsync(
        Key key, string value, long expectedUid, CancellationToken cancellationToken = default) =>
        CompareAndSetAsync(key, Encoding.UTF8.GetBytes(value), expectedUid, cancellationToken);

    /// <summary>
    /// Several operations as one atomic write: all of them at one point of the order of writes, or, if a condition does
    /// not hold, none. At most <see cref="ClientLimits.Operations"/> operations, and as many bytes as half of the
    /// nodes' <c>recoverkv.frame-size</c>.
    /// </summary>
    public Task<WriteResult> WriteAsync(
        IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken = default) =>
        WriteAsync(operations, returnPrevious: false, cancellationToken);

    /// <summary>
    /// Several operations as one atomic write; the result has the version that each key had before it, if that is asked
    /// for.
    /// </summary>
    public Task<WriteResult> WriteAsync(
        IReadOnlyList<WriteOperation> operations, bool returnPrevious, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operations);
        if (!_options.WritesReservedKeys && ReservedPrefix.Broken(operations) is { } reserved)
            return Task.FromException<WriteResult>(reserved);
        return Limits.Broken(operations, View, out var bytes) is { } broken
            ? Task.FromException<WriteResult>(broken)
            : _core.Writes.Submit(operations, returnPrevious, bytes, Deadline, cancellationToken);
    }

    /// <summary>Reads a key.</summary>
    public Task<GetResult> GetAsync(
        Key key, ReadConsistency consistency = ReadConsistency.Linearizable,
        CancellationToken cancellationToken = default) =>
        ReadAsync([key], consistency, static answer => Result(answer, 0), cancellationToken);

    /// <summary>
    /// Reads several keys at one point of the order of writes: a snapshot. At most
    /// <see cref="ClientLimits.KeysOfRead"/> keys, whose values together must fit into one message.
    /// </summary>
    /// <returns>For each key, in the same order.</returns>
    public Task<IReadOnlyList<GetResult>> GetManyAsync(
        IReadOnlyList<Key> keys, ReadConsistency consistency = ReadConsistency.Linearizable,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (keys.Count == 0) return Task.FromResult<IReadOnlyList<GetResult>>([]);
        return ReadAsync(keys, consistency, Results, cancellationToken);
    }

    /// <summary>
    /// The keys of a range with their versions, in the order of their bytes or the other way round. They come in pages,
    /// each of one point of the order of writes. A key that is there during the whole scan comes exactly once; one that
    /// is written or deleted meanwhile may come with either state.
    /// </summary>
    /// <param name="options">All keys, ascending, linearizable, if left out.</param>
    /// <param name="cancellationToken">Ends the scan.</param>
    /// <exception cref="ArgumentOutOfRangeException">The consistency is not for scans, or the limit is
    /// negative.</exception>
    public IAsyncEnumerable<ScanItem> ScanAsync(
        ScanOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ScanOptions();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            (int)options.Consistency, (int)ReadConsistency.Stale, nameof(options));
        if (options.Limit is { } limit) ArgumentOutOfRangeException.ThrowIfNegative(limit, nameof(options));
        return new Scan(Map, _core.Asks, _clock, _options.Deadline, options).ItemsAsync(cancellationToken);
    }

    /// <summary>The state of every configured node, as they say themselves; those that are silent are DEAD.</summary>
    public Task<ClusterStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        Admin.StatusAsync(cancellationToken);

    /// <summary>Makes a node write a checkpoint of all that it has by now, so that its next start replays little (R10).
    /// Nodes do so by themselves, too.</summary>
    /// <param name="node">Its id.</param>
    /// <param name="cancellationToken">Ends the wait, not the checkpoint.</param>
    /// <returns>The checkpoint, in words.</returns>
    /// <exception cref="NotDoneException">The node cannot write one, or did not within 30 times the
    /// deadline.</exception>
    public Task<string> CheckpointAsync(string node, CancellationToken cancellationToken = default) =>
        Admin.CheckpointAsync(node, cancellationToken);

    /// <summary>A part of a node's checkpoint, for a backup; null if it does not answer.</summary>
    internal Task<BackupPart?> BackupPartAsync(
        string node, long at, ReadOnlyMemory<byte> after, CancellationToken cancellation) =>
        Admin.BackupPartAsync(node, at, after, cancellation);

    /// <summary>
    /// Stops a node. For tests: refused unless <c>recoverkv.chaos = on</c> there.
    /// </summary>
    /// <param name="node">Its id.</param>
    /// <param name="clean">True: it leaves in good order. False: its process ends at once, as by kill -9; the call
    /// ends when the node answers no more, or is seen to run anew.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task StopNodeAsync(string node, bool clean = true, CancellationToken cancellationToken = default) =>
        Admin.StopAsync(node, clean, cancellationToken);

    /// <summary>
    /// Cuts a node from the others. For tests: refused unless <c>recoverkv.chaos = on</c> there.
    /// </summary>
    /// <param name="node">Its id.</param>
    /// <param name="reachable">The nodes that it may still talk to; null restores every link.</param>
    /// <param name="healingOnly">Limits the healing of gaps only.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task PartitionAsync(
        string node, IReadOnlyList<string>? reachable, bool healingOnly = false,
        CancellationToken cancellationToken = default) =>
        Admin.PartitionAsync(node, reachable, healingOnly, cancellationToken);

    private Task<T> ReadAsync<T>(
        IReadOnlyList<Key> keys, ReadConsistency consistency, Func<ReadAnswer, T> result,
        CancellationToken cancellation)
    {
        if (Limits.Broken(keys, consistency, View) is { } broken) return Task.FromException<T>(broken);
        var read = new PendingRead<T>(keys, consistency, Deadline, result);
        read.CancelWith(cancellation);
        _core.Reads.Submit(read);
        return read.Task;
    }

    private static GetResult Result(ReadAnswer answer, int index) => new(
        Detach.Of(answer.Versions[index]),
        answer.AgeMilliseconds < 0 ? null : TimeSpan.FromMilliseconds(answer.AgeMilliseconds));

    private static readonly Func<ReadAnswer, IReadOnlyList<GetResult>> Results = static answer =>
        [.. Enumerable.Range(0, answer.Versions.Count).Select(i => Result(answer, i))];
}
