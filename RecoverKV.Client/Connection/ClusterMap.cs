using Akka.Actor;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>
/// Which node leads, which answer reads, and which are silent: kept from the views that nodes send, and asked for when
/// a call needs a better one. Thread-safe.
/// </summary>
internal sealed class ClusterMap
{
    private static readonly ClusterViewRequest Question = new(0);

    private readonly Lock _gate = new();
    private readonly Func<string, int, IActorRef> _resolve;
    private readonly Action<IActorRef, IClientMessage> _send;
    private readonly Func<long> _clock;
    private readonly Random _random;
    private volatile RouteTable? _table;
    private volatile bool _wanted;
    private long _nextPoll;
    private long _nextProbe;
    private int _turn;

    internal ClusterMap(
        Func<string, int, IActorRef> resolve, Action<IActorRef, IClientMessage> send, Func<long> clock, Random random)
    {
        _resolve = resolve;
        _send = send;
        _clock = clock;
        _random = random;
    }

    /// <summary>The newest table; null until the first view.</summary>
    internal RouteTable? Table => _table;

    /// <summary>Called after a new table; not under a lock.</summary>
    internal Action<RouteTable> Changed { get; set; } = static _ => { };

    /// <summary>
    /// Takes a view unless a newer one is known. Of one epoch the later answer counts, but only the sequencer itself
    /// can take away that it leads: others may merely have not heard from it.
    /// </summary>
    internal void Offer(ClusterView? view, NodeRoute? from)
    {
        if (view is null || !RouteTable.IsUsable(view)) return;
        RouteTable table;
        lock (_gate)
        {
            var known = _table;
            if (known is not null)
            {
                if (view.Epoch < known.View.Epoch) return;
                var doubted = view.Epoch == known.View.Epoch && view.Sequencer is null;
                if (doubted && known.Sequencer is { } leads && leads != from)
                    view = view with { Sequencer = leads.Node };
            }

            _table = table = new RouteTable(view, [.. view.Nodes.Select(n => Route(n, known))]);
            // What still waits for a node that is gone must look for another.
            foreach (var gone in known?.Nodes.Except(table.Nodes) ?? []) gone.Suspect();
        }

        Changed(table);
    }

    /// <summary>The node at this address, if views name it.</summary>
    internal NodeRoute? Find(Address address)
    {
        if (_table is not { } table) return null;
        foreach (var node in table.Nodes)
        {
            if (node.Port == address.Port && node.Host == address.Host) return node;
        }

        return null;
    }

    /// <summary>The node with this id, if views name it.</summary>
    internal NodeRoute? Find(string node) => _table is { } table ? Array.Find(table.Nodes, n => n.Node == node) : null;

    /// <summary>Asks for a view soon. Callers repeat this for as long as what they know does not serve them.</summary>
    internal void WantView() => _wanted = true;

    /// <summary>Which node to read from, of those that answer: one that has few reads of this client, as one message for
    /// many costs all processes less, unless enough are <paramref name="waiting"/> for a message to another; else the one
    /// that has the fewest, in turn. Not <paramref name="last"/> if there is another.</summary>
    internal NodeRoute PickReader(ReadConsistency consistency, NodeRoute? last = null, int waiting = 0)
    {
        var table = _table ?? throw new InvalidOperationException("Calls begin after the first view.");
        var nodes = table.Readers(consistency);
        var now = _clock();
        var turn = Interlocked.Increment(ref _turn) & int.MaxValue;
        NodeRoute? begun = null, best = null, heard = null, other = null;
        int most = 0, fewest = int.MaxValue;
        for (var i = 0; i < nodes.Length; i++)
        {
            var node = nodes[(turn + i) % nodes.Length];
            if (node == last) continue;
            other ??= node;
            if (!node.Suspected) heard ??= node;
            if (!node.AnswersReads(now)) continue;
            var flights = node.Lane(consistency).Flights;
            var calls = flights.Calls;
            if (calls < fewest) (best, fewest) = (node, calls);
            if (calls > most && calls < Timing.MessageFew && (waiting < Timing.MessageFew || flights.MayDepart(waiting)))
                (begun, most) = (node, calls);
        }

        if ((begun ?? best) is { } answers) return answers;
        return last is not null && last.AnswersReads(now) ? last : heard ?? other ?? nodes[turn % nodes.Length];
    }

    /// <summary>Asks for views that are wanted, and whether silent nodes are back.</summary>
    internal void Sweep(long now)
    {
        if (_table is not { } table) return;
        if (now >= _nextProbe)
        {
            _nextProbe = now + Timing.Probe;
            foreach (var node in table.Nodes)
            {
                if (node.Suspected) _send(node.Gateway, Question);
            }
        }

        if (now < _nextPoll) return;
        if (!_wanted && now < _nextPoll + Timing.IdlePoll) return;
        _nextPoll = now + Timing.Poll + _random.Next(Timing.Poll + 1);
        // Two of them: one may be dead, or on the wrong side of a partition.
        var nodes = table.Nodes;
        var first = _random.Next(nodes.Length);
        _send(nodes[first].Gateway, Question);
        if (_wanted && nodes.Length > 1)
            _send(nodes[(first + 1 + _random.Next(nodes.Length - 1)) % nodes.Length].Gateway, Question);
        _wanted = false;
    }

    private NodeRoute Route(NodeAddress address, RouteTable? known)
    {
        var route = known is null ? null : Array.Find(known.Nodes, n => n.Node == address.Node);
        return route is not null && route.Host == address.Host && route.Port == address.Port
            ? route
            : new NodeRoute(address.Node, address.Host, address.Port, _resolve(address.Host, address.Port));
    }
}
