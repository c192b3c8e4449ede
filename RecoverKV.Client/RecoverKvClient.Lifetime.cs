using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>How a client begins, takes what nodes send, and ends.</summary>
public sealed partial class RecoverKvClient
{
    private readonly RecoverKvClientOptions _options;
    private readonly Func<long> _clock = static () => NodeConnections.Now;
    private readonly NodeConnections _connections;
    private readonly ClientCore _core;
    private readonly Timer _sweeper;
    private readonly TaskCompletionSource _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _sweeping;
    private int _disposed;

    private RecoverKvClient(RecoverKvClientOptions options)
    {
        _options = options;
        _connections = new NodeConnections(options.Tls, Received, Lost);
        _core = new ClientCore((to, message) => _connections.Send(to.Where, message), _clock, Random.Shared, Later);
        _core.Map.Choosing = true;
        _sweeper = new Timer(static client => ((RecoverKvClient)client!).Sweep(), this, Timing.Sweep, Timing.Sweep);
    }

    private ClusterMap Map => _core.Map;

    private ClusterView View => Map.Table!.View;

    private long Deadline => _clock() + (long)_options.Deadline.TotalMilliseconds;

    private Administration Admin => new(Map, _core.Asks, _clock, _options.Deadline, _options.ChaosSecret);

    /// <summary>Ends the client. Calls that are still open fail, each saying whether it was not done or is
    /// unknown.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _sweeper.DisposeAsync().ConfigureAwait(false);
        _core.Close("the client was closed.");
        _connections.Close();
    }

    private static async Task<RecoverKvClient> FindClusterAsync(
        ContactPoint[] points, RecoverKvClientOptions options, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(options.ConnectTimeout);
        var client = new RecoverKvClient(options);
        try
        {
            await client.FindAsync(points, end.Token).ConfigureAwait(false);
            return client;
        }
        catch (OperationCanceledException e)
        {
            var failures = points.Select(client._connections.Failure).OfType<string>().Distinct().ToArray();
            await client.DisposeAsync().ConfigureAwait(false);
            if (cancellation.IsCancellationRequested) throw;
            var why = failures.Length == 0 ? "." : $": {string.Join("; ", failures)}.";
            throw new NotDoneException(
                $"No node answered at {string.Join(", ", points.AsEnumerable())} "
                + $"within {options.ConnectTimeout.TotalSeconds:0.#} s{why}", e);
        }
    }

    /// <summary>Asks these nodes for a view until one answers that names who leads. If nobody leads as far as that one
    /// knows, the others get a moment: it may be a stranger to them (R12).</summary>
    private async Task FindAsync(ContactPoint[] points, CancellationToken cancellation)
    {
        for (var round = 0; !_found.Task.IsCompleted; round++)
        {
            if (Map.Table is not null && round > 1) break;
            foreach (var point in points) _connections.Send(point, new ClusterViewRequest(0));
            await Task.WhenAny(_found.Task, Task.Delay(Timing.ConnectRetry, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }

        Map.Choosing = false;
        // From now on nodes go by their configured addresses.
        _connections.Keep([.. Map.Table!.Nodes.Select(n => n.Where)]);
    }

    // Behind what waits already, not before it.
    private static void Later(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    /// <summary>Called with one message at a time.</summary>
    private void Received(IClientMessage message, ContactPoint from)
    {
        _core.Received(message, Map.Find(from));
        if (message is ClusterView && Map.Table is { Sequencer: not null } or { Nodes.Length: 1 })
            _found.TrySetResult();
    }

    private void Lost(ContactPoint node)
    {
        if (Map.Find(node) is { } route) _core.Lost(route);
    }

    private void Sweep()
    {
        if (Interlocked.Exchange(ref _sweeping, 1) != 0) return;
        try
        {
            _connections.Sweep(_clock());
            _core.Sweep();
        }
#pragma warning disable CA1031 // An exception in a timer would end the application's process;
        // the calls tell it instead.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _core.Close($"the client failed and must be made anew: {e.Message}");
        }
        finally
        {
            Volatile.Write(ref _sweeping, 0);
        }
    }
}
