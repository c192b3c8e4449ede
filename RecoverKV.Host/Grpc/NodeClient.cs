using RecoverKV.Client;

namespace RecoverKV.Host.Grpc;

/// <summary>The endpoint's own client of the nodes. It looks for them from the start, and as long as it takes: the
/// endpoint may be there before them.</summary>
internal sealed class NodeClient : IAsyncDisposable
{
    /// <summary>A call ends within this, unless its own deadline is sooner: time for any fail-over.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _end = new();
    private readonly Task<RecoverKvClient> _connected;

    /// <summary>Begins to look for the nodes.</summary>
    public NodeClient(GrpcOptions options) => _connected = ConnectAsync(options, _end.Token);

    /// <summary>The client, once a node has answered.</summary>
    /// <exception cref="NotDoneException">None has, for too long.</exception>
    public async Task<RecoverKvClient> GetAsync(CancellationToken cancellation)
    {
        try
        {
            return await _connected.WaitAsync(Deadline, cancellation);
        }
        catch (TimeoutException)
        {
            throw new NotDoneException("no node answers");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _connected.ContinueWith(_ => { }, TaskScheduler.Default);
        if (_connected.IsCompletedSuccessfully) await (await _connected).DisposeAsync();
        _end.Dispose();
    }

    private static async Task<RecoverKvClient> ConnectAsync(GrpcOptions endpoint, CancellationToken end)
    {
        var options = new RecoverKvClientOptions
        {
            Deadline = Deadline,
            ChaosSecret = endpoint.ChaosSecret,
            WritesReservedKeys = true,
            Tls = endpoint.Tls,
        };
        while (true)
        {
            try
            {
                return await RecoverKvClient.ConnectAsync(endpoint.Contact, options, end);
            }
            catch (NotDoneException)
            {
                // No node is there yet.
            }
        }
    }
}
