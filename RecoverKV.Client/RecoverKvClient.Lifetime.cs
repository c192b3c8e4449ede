using System.Net;
using Akka.Actor;
using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client;

/// <summary>How a client begins, takes what nodes send, and ends.</summary>
public sealed partial class RecoverKvClient
{
    private readonly RecoverKvClientOptions _options;
    private readonly Func<long> _clock = static () => Environment.TickCount64;
    private readonly ClientSystem _system;
    private readonly ClientCore _core;
    private readonly Timer _sweeper;
    private readonly TaskCompletionSource _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _sweeping;
    private int _disposed;

    private RecoverKvClient(RecoverKvClientOptions options, IPAddress local)
    {
        _options = options;
        _system = new ClientSystem(local, Received, Lost);
        _core = new ClientCore(
            _system.Gateway, (to, message) => _system.Send(to.Gateway, message), _clock, Random.Shared, Later);
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
        await _system.TerminateAsync().ConfigureAwait(false);
    }

    private static async Task<RecoverKvClient> FindClusterAsync(
        ContactPoint[] points, RecoverKvClientOptions options, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(options.ConnectTimeout);
        try
        {
            var addresses = await ResolveAsync(points, end.Token).ConfigureAwait(false);
            var local = ContactPoint.Local(addresses.SelectMany(a => a));
            var spellings = ContactPoint.Spellings(points.Zip(addresses));
            var patience = TimeSpan.FromSeconds(1);
            for (var round = 0; ; round++)
            {
                // A node has one connection to each address of a client. A second one, under another name of the node,
                // would take the first one's place, and the node would hear the client no more. So a client only ever
                // uses one name of a node, and in the end the one that the node is configured with.
                ContactPoint[] names = [.. spellings.Select(s => s[round % s.Length])];
                var most = spellings.Max(s => s.Length);
                if (round > 0 && round % most == 0) patience *= 2;
                var limit = most > 1 ? patience : Timeout.InfiniteTimeSpan;
                if (await FindAsync(options, local, names, limit, end.Token).ConfigureAwait(false) is not { } client) continue;
                ContactPoint[] configured = [.. client.View.Nodes.Select(n => new ContactPoint(n.Host, n.Port))];
                if (names.All(configured.Contains)) return client;
                await client.DisposeAsync().ConfigureAwait(false);
                spellings = [.. configured.Select(c => new[] { c })];
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new NotDoneException(
                $"No node answered at {string.Join(", ", points.AsEnumerable())} within {options.ConnectTimeout.TotalSeconds:0.#} s.");
        }
    }

    /// <summary>A client that has found the cluster under these names; null if that took too long.</summary>
    private static async Task<RecoverKvClient?> FindAsync(
        RecoverKvClientOptions options, IPAddress local, ContactPoint[] names, TimeSpan limit, CancellationToken end)
    {
        // An actor system takes a while to start, and blocks its thread meanwhile.
        var client = await Task.Run(() => new RecoverKvClient(options, local), end).ConfigureAwait(false);
        var found = false;
        try
        {
            found = await client.FindAsync(names, limit, end).ConfigureAwait(false);
        }
        finally
        {
            if (!found) await client.DisposeAsync().ConfigureAwait(false);
        }

        return found ? client : null;
    }

    /// <summary>Waits until some contact point has an address.</summary>
    private static async Task<IPAddress[][]> ResolveAsync(ContactPoint[] points, CancellationToken cancellation)
    {
        while (true)
        {
            var addresses = await Task.WhenAll(points.Select(p => p.ResolveAsync(cancellation))).ConfigureAwait(false);
            if (addresses.Any(a => a.Length > 0)) return addresses;
            await Task.Delay(Timing.ConnectRetry, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Asks these nodes for a view until one answers that names who leads; false if that took too long. If nobody
    /// leads as far as that one knows, the others get a moment: it may be a stranger to them (R12).</summary>
    private async Task<bool> FindAsync(ContactPoint[] names, TimeSpan limit, CancellationToken cancellation)
    {
        var asked = names.Select(p => _system.Gateway(p.Host, p.Port)).ToList();
        var end = limit == Timeout.InfiniteTimeSpan ? long.MaxValue : _clock() + (long)limit.TotalMilliseconds;
        for (var round = 0; !_found.Task.IsCompleted && _clock() < end; round++)
        {
            if (Map.Table is not null && round > 1) break;
            foreach (var gateway in asked) _system.Send(gateway, new ClusterViewRequest(0));
            await Task.WhenAny(_found.Task, Task.Delay(Timing.ConnectRetry, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }

        Map.Choosing = false;
        return Map.Table is not null;
    }

    // Behind what waits already, not before it.
    private static void Later(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    /// <summary>Called by the receiving actor, one message at a time.</summary>
    private void Received(IClientMessage message, Address sender)
    {
        _core.Received(message, Map.Find(sender));
        if (message is ClusterView && Map.Table is { Sequencer: not null } or { Nodes.Length: 1 }) _found.TrySetResult();
    }

    private void Lost(Address? address)
    {
        if (address is not null && Map.Find(address) is { } route) _core.Lost(route);
    }

    private void Sweep()
    {
        if (Interlocked.Exchange(ref _sweeping, 1) != 0) return;
        try
        {
            _core.Sweep();
        }
#pragma warning disable CA1031 // An exception in a timer would end the application's process; the calls tell it instead.
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
