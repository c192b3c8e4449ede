using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace RecoverKV.Host.Grpc;

/// <summary>Closes connections over which no call has come within a few seconds: whoever has something to say connects anew.
/// </summary>
internal sealed class SilentConnections
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly object Key = new();

    /// <summary>A connection, from its beginning to its end.</summary>
    internal async Task RunAsync(ConnectionContext connection, Func<Task> next)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var late = limit.Token.Register(static c => ((ConnectionContext)c!).Abort(), connection);
        connection.Items[Key] = limit;
        await next();
    }

    /// <summary>A call has come over its connection.</summary>
    internal static void Called(HttpContext context)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items.Remove(Key, out var limit) is true)
            ((CancellationTokenSource)limit!).CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
