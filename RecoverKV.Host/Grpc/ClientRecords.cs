using System.Collections.Concurrent;
using System.Text;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Grpc;

/// <summary>
/// Which clients are open, and which nodes each may use. A client of the original opens itself once and never again, so
/// that this must survive any node and any endpoint: it is in the store, a key per client. What was read of it is kept
/// for a moment, so that calls do not read it each time; a client that was closed at another endpoint is known here for
/// no longer than that.
/// </summary>
internal sealed class ClientRecords(ReadConsistency consistency)
{
    private const int MostKept = 10_000;
    private const long KeptMilliseconds = 5_000;

    private readonly ConcurrentDictionary<string, (string[] Nodes, long Until)> _kept = new();

    /// <summary>Opens a client; false if it is open.</summary>
    public async Task<bool> OpenAsync(
        RecoverKvClient store, string id, IEnumerable<string> nodes, CancellationToken cancellation)
    {
        string[] named = [.. nodes.Distinct()];
        var written = await store.PutIfAbsentAsync(ReservedKeys.OfClient(id), string.Join(',', named), cancellation);
        if (written.Applied) Keep(id, named);
        return written.Applied;
    }

    /// <summary>The nodes that a client has named; null if it is not open.</summary>
    public async Task<IReadOnlyList<string>?> FindAsync(
        RecoverKvClient store, string id, CancellationToken cancellation)
    {
        if (id.Length == 0) return null;
        if (_kept.TryGetValue(id, out var kept) && Environment.TickCount64 < kept.Until) return kept.Nodes;
        var read = await store.GetAsync(ReservedKeys.OfClient(id), consistency, cancellation);
        // A node that reaches no peer may be older than the record; only what is not old can say that there is none.
        if (read is { Version: null, IsStale: true })
            read = await store.GetAsync(ReservedKeys.OfClient(id), ReadConsistency.Linearizable, cancellation);
        _kept.TryRemove(id, out _);
        if (read.Version is not { } record) return null;
        var nodes = Encoding.UTF8.GetString(record.Value.Span).Split(',');
        Keep(id, nodes);
        return nodes;
    }

    /// <summary>Closes a client; false if it is not open.</summary>
    public async Task<bool> FreeAsync(RecoverKvClient store, string id, CancellationToken cancellation)
    {
        if (id.Length == 0) return false;
        _kept.TryRemove(id, out _);
        var written = await store.DeleteAsync(ReservedKeys.OfClient(id), returnPrevious: true, cancellation);
        // A call of this client that came in between may have kept it again.
        _kept.TryRemove(id, out _);
        return written.PreviousOmitted || written.Previous[0] is not null;
    }

    private void Keep(string id, string[] nodes)
    {
        if (_kept.Count >= MostKept) _kept.Clear();
        _kept[id] = (nodes, Environment.TickCount64 + KeptMilliseconds);
    }
}
