using Microsoft.Extensions.Diagnostics.HealthChecks;
using RecoverKV.Client;

namespace RecoverKV.Host.Grpc;

/// <summary>The endpoint is healthy while reads are answered.</summary>
internal sealed class EndpointHealth(GrpcOptions options, NodeClient nodes) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(Patience);
        try
        {
            var store = await nodes.GetAsync(end.Token);
            await store.GetAsync(ReservedKeys.Probe, options.Consistency, end.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is RecoverKvException or OperationCanceledException or ObjectDisposedException)
        {
            return HealthCheckResult.Unhealthy("no node answers reads");
        }
    }
}
