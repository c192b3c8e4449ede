using Grpc.Core;
using RecoverKV.Client;
using RecoverKV.Host.Grpc.Wire;

namespace RecoverKV.Host.Grpc;

/// <summary>What a client of the original may do to the servers that it named: for tests.</summary>
internal sealed class ServerOrders(GrpcOptions options, ClientRecords records)
{
    /// <summary>Stops a server; ends when it has stopped.</summary>
    public async Task StopAsync(RecoverKvClient store, KillRequest request, CancellationToken end)
    {
        if (request.CleanType is not (0 or 1))
            throw new RefusalException(StatusCode.InvalidArgument, $"there is no cleanType {request.CleanType}");
        var node = Named(await OpenAsync(store, request.ClientID, end), request.ServerName);
        if (request.CleanType == 0)
        {
            options.Stopping(node);
            await store.StopNodeAsync(node, clean: false, end);
            return;
        }

        var process = await NodeEnd.ProcessAsync(store, node, end);
        if (process == 0) throw new NotDoneException($"server {request.ServerName} does not run");
        options.Stopping(node);
        await NodeEnd.LeaveAsync(store, node, process, end);
    }

    /// <summary>Limits from whom a server may fetch what it lacks.</summary>
    public async Task PartitionAsync(RecoverKvClient store, PartitionRequest request, CancellationToken end)
    {
        var named = await OpenAsync(store, request.ClientID, end);
        var node = Named(named, request.ServerName);
        var reachable = options.Servers.NodesOf(request.Reachable);
        if (reachable.Any(n => n is null || !named.Contains(n)))
            throw new RefusalException(
                StatusCode.PermissionDenied, "a server in \"reachable\" is not one that this client named at init");
        var others = options.Servers.Nodes.Where(n => n != node);
        // Who reaches all others is not cut at all.
        string[]? cut = others.All(reachable.Contains)
            ? null
            : [.. reachable.Select(n => n!).Where(n => n != node).Distinct()];
        await store.PartitionAsync(node, cut, healingOnly: true, end);
    }

    private async Task<IReadOnlyList<string>> OpenAsync(RecoverKvClient store, string id, CancellationToken end) =>
        await records.FindAsync(store, id, end) ?? throw Refusal.UnknownClient(id);

    private string Named(IReadOnlyList<string> named, string server) =>
        options.Servers.Node(server) is { } node && named.Contains(node)
            ? node
            : throw new RefusalException(
                StatusCode.PermissionDenied, $"server \"{server}\" is not one that this client named at init");
}
