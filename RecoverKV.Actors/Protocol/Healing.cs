namespace RecoverKV.Actors.Protocol;

// R6 Gaps: a replica asks its peers for exactly the uids that it lacks, below the committed uid of its view; and during
// an election, below the donor's last uid.
public sealed partial class ReplicaCore
{
    // A replica whose disk cannot keep up asks for no more.
    private const int UnsyncedFacts = 1024;

    private readonly Dictionary<long, (NodeId Peer, UidRange Range, TimeSpan SentAt)> _fetches = [];
    private readonly Dictionary<NodeId, TimeSpan> _peerFailedAt = [];

    // Ids of different runs differ: a late answer to an earlier run is none to this one.
    private const long FetchIdsOfARun = 0x3FFF_FFFF_FF00_0000;
    private long _fetchId;
    private int _nextPeer;

    // How many fetches may be under way: over a thin link, where they come too late, one at a time.
    private int _fetchesAtOnce = int.MaxValue;

    // Those that were given up: what comes too late is as good.
    private readonly Queue<(long Id, NodeId Peer, UidRange Range)> _late = new();
    private const int MostLate = 32;

    /// <summary>How many entries peers have sent to this replica since its start, to fill its gaps.</summary>
    public long FetchedUids { get; private set; }

    // Up to where, by which log, and from whom; null when nothing is to be healed.
    private (Uid Target, View Log, NodeId[] Peers)? HealingGoal()
    {
        if (_synchronization is { } goal && goal.Epoch == _promised.Epoch && _view.Epoch < goal.Epoch)
            return (goal.Target, goal.Base, [goal.Donor]);
        if (_view.Epoch != _promised.Epoch || _view.Epoch == Epoch.Zero) return null;
        var target = Mutated(Mutations.HealBeyondCommitted)
            ? Uid.Max(_knownCommitted, _log.Held.Highest + 3)
            : _knownCommitted;
        return (target, _view, Mutated(Mutations.HealBeyondCommitted) ? _options.Nodes : HealingPeers);
    }

    // Asks for what is missing, in chunks, of several peers at once.
    private void Heal()
    {
        foreach (var (id, fetch) in _fetches.Where(f => _now - f.Value.SentAt > _options.FetchTimeout).ToArray())
        {
            _fetches.Remove(id);
            _peerFailedAt[fetch.Peer] = _now;
            _fetchesAtOnce = 1;
            _late.Enqueue((id, fetch.Peer, fetch.Range));
            if (_late.Count > MostLate) _late.Dequeue();
        }

        // What comes with the state need not be fetched.
        if (_transfer != null) return;
        var atOnce = Math.Min(_fetchesAtOnce, _options.FetchesInFlight);
        if (_fetches.Count >= atOnce || _facts - _persisted > UnsyncedFacts) return;
        if (!LacksEntries && _synchronization == null && !Mutated(Mutations.HealBeyondCommitted)) return;
        if (HealingGoal() is not { } goal) return;
        var peers = goal.Peers.Where(n => n != _self.Node).ToArray();
        if (peers.Length == 0 || TakesStateInstead(peers, goal.Target)) return;

        var asked = new UidSet();
        foreach (var fetch in _fetches.Values) asked.Add(fetch.Range);
        foreach (var gap in _log.Held.Missing(new UidRange(_log.Held.Contiguous.Next, goal.Target)))
        {
            foreach (var free in asked.Missing(gap))
            {
                for (var first = free.First; first <= free.Last; first += _options.FetchEntries)
                {
                    if (_fetches.Count >= atOnce) return;
                    Ask(PickPeer(peers), new UidRange(first, Uid.Min(free.Last, first + (_options.FetchEntries - 1))));
                }
            }
        }
    }

    // What was asked for in the name of another log is not taken.
    private void ForgetFetches()
    {
        _fetches.Clear();
        _late.Clear();
    }

    private void Ask(NodeId peer, UidRange range)
    {
        _fetches.Add(++_fetchId, (peer, range, _now));
        Send(peer, new Fetch(_promised.Epoch, _fetchId, range));
    }

    // The peers in turn; one that failed lately only if all did.
    private NodeId PickPeer(NodeId[] peers)
    {
        var good = peers.Where(p => !HasFailed(p)).ToArray();
        var among = good.Length > 0 ? good : peers;
        return among[_nextPeer++ % among.Length];
    }

    private bool HasFailed(NodeId peer) =>
        _peerFailedAt.TryGetValue(peer, out var at) && _now - at <= 2 * _options.FetchTimeout;

    // Answers a peer, from memory or from the journal. Committed entries are the same for everybody; more than those is
    // given only to who has promised the same epoch, to be synchronised with this donor.
    private void OnFetch(MemberId from, Fetch message)
    {
        var limit = message.Epoch == _promised.Epoch || Mutated(Mutations.HealBeyondCommitted)
            ? _log.Durable.Contiguous
            : _state.Applied;
        if (message.Range.First <= _log.Compacted)
        {
            Send(from.Node, new Compacted(message.Epoch, message.Id, _saved.Applied));
            return;
        }

        var range = message.Range with { Last = Uid.Min(message.Range.Last, limit) };
        if (range.Count > 0 && range.First < _log.MemoryFrom
            && _log.FactsFrom(range.First, range.Last, _options.FetchBytes) is { } facts)
        {
            var request = message with { Range = range with { Last = facts.To } };
            Effects.Add(new Effect.ServeFromJournal(from.Node, request, facts.First, facts.Last));
            return;
        }

        var batches = range.Count > 0 ? _log.Read(range, _options.FetchEntries, _options.FetchBytes) : [];
        Send(from.Node, new Entries(message.Epoch, message.Id, batches));
    }

    private void OnEntries(MemberId from, Entries message)
    {
        UidRange asked;
        if (_fetches.TryGetValue(message.Id, out var fetch) && fetch.Peer == from.Node)
        {
            asked = fetch.Range;
            _fetches.Remove(message.Id);
            if (_fetchesAtOnce < _options.FetchesInFlight) _fetchesAtOnce++;
        }
        else
        {
            asked = _late.FirstOrDefault(l => l.Id == message.Id && l.Peer == from.Node).Range;
            if (asked == default || message.Batches.Length == 0) return;
        }

        if (message.Batches.Length > 0) _reachedAt = _now;
        FetchedUids += message.Batches.Sum(b => b.Requests.Count);
        var (any, useless) = (false, message.Batches.Length == 0);
        if (HealingGoal() is { } goal)
        {
            var anyEpoch = Mutated(Mutations.HealBeyondCommitted);
            var last = Uid.Min(goal.Target, asked.Last);
            foreach (var batch in message.Batches)
            {
                any |= AppendLacking(batch, uid =>
                    uid >= asked.First && uid <= last && (goal.Log.Holds(uid, batch.Epoch) || anyEpoch));
            }

            useless |= !any && !_log.Held.Contains(asked.First);
        }

        if (any)
        {
            if (_synchronization == null) Acknowledge();
        }
        else if (useless)
        {
            // Not at once again: it would answer the same.
            _peerFailedAt[from.Node] = _now;
            return;
        }

        Heal();
    }
}
