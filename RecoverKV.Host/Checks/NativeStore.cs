using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Checks;

/// <summary>The store by its own client.</summary>
internal sealed class NativeStore : ICheckedStore
{
    private readonly RecoverKvClient _client;

    private NativeStore(RecoverKvClient client, IReadOnlyList<string> servers) =>
        (_client, Servers) = (client, servers);

    /// <inheritdoc/>
    public IReadOnlyList<string> Servers { get; }

    /// <summary>Connects.</summary>
    public static async Task<NativeStore> OpenAsync(
        IReadOnlyList<string> contact, TlsOptions? tls, CancellationToken cancellation)
    {
        var client = await RecoverKvClient.ConnectAsync(
            contact, new RecoverKvClientOptions { Tls = tls }, cancellation);
        var status = await client.GetStatusAsync(cancellation);
        return new NativeStore(client, [.. status.Nodes.Select(n => n.Node)]);
    }

    /// <inheritdoc/>
    public async Task<string?> PutAsync(string key, string value, CancellationToken cancellation)
    {
        var written = await _client.PutAsync(key, value, returnPrevious: true, cancellation);
        return written.Previous[0] is { } old ? System.Text.Encoding.UTF8.GetString(old.Value.Span) : null;
    }

    /// <inheritdoc/>
    public async Task<string?> GetAsync(string key, CancellationToken cancellation) =>
        (await _client.GetAsync(key, ReadConsistency.Available, cancellation)).Text;

    /// <inheritdoc/>
    public async Task<bool> AreAliveAsync(CancellationToken cancellation) =>
        (await _client.GetStatusAsync(cancellation)).Nodes.All(n => n.Mode == NodeMode.Alive);

    /// <inheritdoc/>
    public async Task StopAsync(string server, bool clean, CancellationToken cancellation)
    {
        await OrderAsync(clean
            ? NodeEnd.LeaveAsync(
                _client, server, await NodeEnd.ProcessAsync(_client, server, cancellation), cancellation)
            : _client.StopNodeAsync(server, clean: false, cancellation));
    }

    /// <inheritdoc/>
    public Task PartitionAsync(string server, IReadOnlyList<string> reachable, CancellationToken cancellation)
    {
        var whole = Servers.All(s => s == server || reachable.Contains(s));
        return OrderAsync(_client.PartitionAsync(server, whole ? null : reachable, healingOnly: true, cancellation));
    }

    /// <inheritdoc/>
    public async Task<bool> RefusesUnnamedAsync(string server, CancellationToken cancellation)
    {
        // This client knows all nodes of the cluster, and no others.
        try
        {
            await _client.StopNodeAsync($"no-{server}", clean: false, cancellation);
            return false;
        }
        catch (InvalidRequestException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private static async Task OrderAsync(Task order)
    {
        try
        {
            await order;
        }
        catch (NotDoneException e) when (e.Refused)
        {
            throw new NotAllowedException(e.Message);
        }
    }
}
