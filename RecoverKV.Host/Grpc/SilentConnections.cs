using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace RecoverKV.Host.Grpc;

/// <summary>Connections over which no call has come. They are closed after a few seconds, and before if there are too
/// many: whoever has something to say connects anew. Thread-safe.</summary>
internal sealed class SilentConnections
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly object Key = new();
    private readonly Lock _gate = new();
    private readonly LinkedList<ConnectionContext> _waiting = new();

    /// <summary>A connection, from its beginning to its end.</summary>
    internal async Task RunAsync(ConnectionContext connection, Func<Task> next)
    {
        LinkedListNode<ConnectionContext> place;
        lock (_gate) place = _waiting.AddLast(connection);
        using var limit = new CancellationTokenSource(Patience);
        await using var late = limit.Token.Register(static c => ((ConnectionContext)c!).Abort(), connection);
        connection.Items[Key] = new Action(() =>
        {
            limit.CancelAfter(Timeout.InfiniteTimeSpan);
            Leave(place);
        });
        try
        {
            await next();
        }
        finally
        {
            lock (connection.Items) connection.Items.Remove(Key);
            Leave(place);
        }
    }

    /// <summary>A call has come over its connection.</summary>
    internal static void Called(HttpContext context)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items) return;
        // Calls of one connection come at the same time.
        lock (items)
        {
            if (items.Remove(Key, out var called)) ((Action)called!)();
        }
    }

    /// <summary>Closes the one that has waited longest.</summary>
    internal void CloseOldest()
    {
        ConnectionContext? oldest;
        lock (_gate)
        {
            oldest = _waiting.First?.Value;
            if (oldest is not null) _waiting.RemoveFirst();
        }

        oldest?.Abort();
    }

    private void Leave(LinkedListNode<ConnectionContext> place)
    {
        lock (_gate)
        {
            if (place.List is not null) _waiting.Remove(place);
        }
    }
}
