using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>
/// Which node leads, which answer reads, and which are silent: kept from the views that nodes send, and asked for when
/// a call needs a better one. Thread-safe.
/// </summary>
internal sealed class ClusterMap
{
    private readonly Lock _gate = new();
    private readonly Action<NodeRoute, IClientMessage> _send;
    private readonly Func<long> _clock;
    private readonly Random _random;
    private volatile RouteTable? _table;
    private volatile bool _wanted;
    private volatile string? _replaced;
    private long _nextPoll;
    private int _turn;

    internal ClusterMap(Action<NodeRoute, IClientMessage> send, Func<long> clock, Random random)
    {
        _send = send;
        _clock = clock;
        _random = random;
    }

    /// <summary>The newest table; null until the first view.</summary>
    internal RouteTable? Table => _table;

    /// <summary>Called after a new table; not under a lock.</summary>
    internal Action<RouteTable> Changed { get; set; } = static _ => { };

    /// <summary>R12: says that most nodes are of another store than this client found, so that no call of it can be
    /// done any more; null: they are not, as far as is known.</summary>
    internal string? Replaced => _replaced;

    /// <summary>Whether the client is still looking for the cluster: of two stores it then takes the one that is
    /// led.</summary>
    internal bool Choosing { get; set; }

    /// <summary>
    /// Takes a view unless a newer one is known, or it is of another store: the first one that is known stays (R12), as
    /// epochs, sessions and values of another one mean nothing here. Of one epoch the later answer counts, but only the
    /// sequencer itself can take away that it leads: others may merely have not heard from it.
    /// </summary>
    internal void Offer(ClusterView? view, NodeRoute? from)
    {
        if (view is null || !RouteTable.IsUsable(view)) return;
        RouteTable table;
        lock (_gate)
        {
            var known = _table;
            if (known is not null && Choosing && IsOther(view, known.View) && known.Sequencer is null) known = null;
            if (known is not null)
            {
                if (!Belongs(view, known, from) || view.Epoch < known.View.Epoch) return;
                if (view.Cluster == Guid.Empty) view = view with { Cluster = known.View.Cluster };
                var doubted = view.Epoch == known.View.Epoch && view.Sequencer is null;
                if (doubted && known.Sequencer is { } leads && leads != from)
                    view = view with { Sequencer = leads.Node };
            }

            _table = table = new RouteTable(view, [.. view.Nodes.Select(n => Route(n, known))]);
            // What still waits for a node that is gone must look for another.
            foreach (var gone in known?.Nodes.Except(table.Nodes) ?? []) gone.Suspect();
            _replaced = Replacement(table);
        }

        Changed(table);
    }

    /// <summary>The node at this address, if views name it.</summary>
    internal NodeRoute? Find(ContactPoint where) =>
        _table is { } table ? Array.Find(table.Nodes, n => n.Where == where) : null;

    /// <summary>The node with this id, if views name it.</summary>
    internal NodeRoute? Find(string node) => _table is { } table ? Array.Find(table.Nodes, n => n.Node == node) : null;

    /// <summary>Asks for a view soon. Callers repeat this for as long as what they know does not serve them.</summary>
    internal void WantView() => _wanted = true;

    /// <summary>Which node to read from, of those that answer: one that has few reads of this client, as one message
    /// for many costs all processes less, unless enough are <paramref name="waiting"/> for a message to another; else
    /// the one that has the fewest, in turn. Not <paramref name="last"/> if there is another.</summary>
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
            if (node.IsThere) heard ??= node;
            if (!node.AnswersReads(now)) continue;
            var lane = node.Lane(consistency);
            if (!lane.Window.HasRoom) continue;
            var flights = lane.Flights;
            var calls = flights.Calls;
            if (calls < fewest) (best, fewest) = (node, calls);
            if (calls > most && calls < Timing.MessageFew
                && (waiting < Timing.MessageFew || flights.MayDepart(waiting)))
                (begun, most) = (node, calls);
        }

        if ((begun ?? best) is { } answers) return answers;
        return last is not null && last.AnswersReads(now) ? last : heard ?? other ?? nodes[turn % nodes.Length];
    }

    /// <summary>Asks for views that are wanted, and whether silent nodes are back.</summary>
    internal void Sweep(long now)
    {
        if (_table is not { } table) return;
        foreach (var node in table.Nodes)
        {
            if (!node.IsProbed || now < node.NextProbe) continue;
            node.NextProbe = now + Timing.Probe;
            Ask(node, now);
        }

        if (now < _nextPoll) return;
        if (!_wanted && now < _nextPoll + Timing.IdlePoll) return;
        _nextPoll = now + Timing.Poll + _random.Next(Timing.Poll + 1);
        // Two of them: one may be dead, or on the wrong side of a partition.
        var nodes = table.Nodes;
        var first = _random.Next(nodes.Length);
        Ask(nodes[first], now);
        if (_wanted && nodes.Length > 1) Ask(nodes[(first + 1 + _random.Next(nodes.Length - 1)) % nodes.Length], now);
        _wanted = false;
    }

    // The answer bears the id, so that one knows when it was asked.
    private void Ask(NodeRoute node, long now) => _send(node, new ClusterViewRequest(now));

    /// <summary>Whether a view is of this client's store; marks its sender if not. Under the lock.</summary>
    private bool Belongs(ClusterView view, RouteTable known, NodeRoute? from)
    {
        var isOther = IsOther(view, known.View);
        if (from is not null && view.Cluster != Guid.Empty)
        {
            (from.Store, from.IsStranger) = (view.Cluster, isOther);
            _replaced = Replacement(known);
        }

        return !isOther;
    }

    /// <summary>Once a store has an id, all its later views have it.</summary>
    private static bool IsOther(ClusterView view, ClusterView known) =>
        view.Cluster != Guid.Empty
        && (known.Cluster != Guid.Empty ? view.Cluster != known.Cluster : view.Epoch < known.Epoch);

    private static string? Replacement(RouteTable table)
    {
        var strangers = Array.FindAll(table.Nodes, n => n.IsStranger);
        if (2 * strangers.Length <= table.Nodes.Length) return null;
        var before = table.View.Cluster == Guid.Empty ? "without an id" : table.View.Cluster.ToString();
        var where = string.Join(", ", strangers.Select(n => $"{n.Host}:{n.Port}"));
        return $"the store at {where} is another one than this client was connected to "
            + $"(store {before}, now {strangers[0].Store}): connect anew.";
    }

    private static NodeRoute Route(NodeAddress address, RouteTable? known)
    {
        var route = known is null ? null : Array.Find(known.Nodes, n => n.Node == address.Node);
        return route is not null && route.Host == address.Host && route.Port == address.Port
            ? route
            : new NodeRoute(address.Node, address.Host, address.Port);
    }
}
