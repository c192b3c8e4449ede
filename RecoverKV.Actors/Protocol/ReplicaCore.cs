using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// One replica, and the sequencer while this node leads: the rules R1-R12 of DESIGN.md as a deterministic state
/// machine. Inputs are the methods; each leaves what must be done in <see cref="Effects"/>. The host carries the
/// effects out in order, clears the list, and reports journalled facts by <see cref="Persisted"/>. There is no clock,
/// no randomness and no I/O in here: the same inputs give the same effects. Not thread-safe.
/// </summary>
/// <remarks>
/// <para>One file per rule: Promises (R1), Campaigns and Views (R2), Appends (R3), Commits (R4), Leases and Reads (R5),
/// Healing and Isolation (R6), Orphans (R7), Membership and Slowness (R8), Sessions (R9, <see cref="SessionTable"/>),
/// Checkpoints and Transfers (R10), Amnesia, Rescue and Integrity (R11), Identity (R12). Besides: WellFormed (what a
/// message must keep to), Room, and Troubles (who is told what is wrong).</para>
/// <para>Every input's <c>now</c> is the local monotonic clock, of any origin.</para>
/// </remarks>
public sealed partial class ReplicaCore
{
    private readonly ProtocolOptions _options;
    private readonly MemberId _self;
    private readonly EntryLog _log;
    private readonly KeyValueState _state;
    private readonly Queue<(long Fact, Action Then)> _whenDurable = new();
    private readonly Queue<PeerMessage> _toSelf = new();
    private SplitMix64 _random;
    private TimeSpan _now;
    private TimeSpan _startedAt;

    // The number of the last fact, and of the last one that is on disk. Invariant: _persisted <= _facts.
    private long _facts;
    private long _persisted;

    // R1. Invariant: _promised.Epoch >= _view.Epoch.
    private Promised _promised = new(Epoch.Zero, NodeId.None);

    // R2. The number of the fact that accepted the view: until it is on disk nothing may be said in its name.
    private View _view = View.None;
    private long _viewFact;

    // R4. Invariant: _state.Applied <= _knownCommitted, and _state.Applied <= _log.Durable.Contiguous.
    private Uid _knownCommitted;

    // Up to here the accepted view has told it. What a candidate told, or a peer's state, may be of later views, of
    // which the accepted one's history knows nothing.
    private Uid _toldByView;

    // At most one of the two is set; a follower has neither.
    private Campaign? _campaign;
    private Leading? _leading;

    /// <summary>A replica with an empty journal; <see cref="Replay"/> and <see cref="Start"/> follow.</summary>
    public ReplicaCore(ProtocolOptions options) : this(options, LogBase.None, NewState(options))
    {
    }

    /// <summary>R10: a replica with a checkpoint; <see cref="Replay"/> of the facts from its base on, and
    /// <see cref="Start"/> follow.</summary>
    /// <param name="options">What it is to be.</param>
    /// <param name="from">What the log was when the state was captured.</param>
    /// <param name="state">That state.</param>
    public ReplicaCore(ProtocolOptions options, LogBase from, KeyValueState state)
    {
        _options = options;
        (_base, _saved, _log, _state) = (from, from, new EntryLog(from, options.PieceBytes), state);
        (_promised, _view, _rightTo) = (from.Promised, from.View, from.RightTo);
        (_knownCommitted, _toldByView) = (Uid.Max(from.Committed, from.Applied), from.ToldByView);
        _facts = _persisted = from.ReplayFrom - 1;
        _self = options.Self;
        _settings = Fingerprint(options.Agreed);
        _fetchId = options.Run & FetchIdsOfARun;
        _random = new SplitMix64(options.Seed);
    }

    /// <summary>An empty state with the limits of these options.</summary>
    internal static KeyValueState NewState(ProtocolOptions options) => new(
        options.Sessions, new RequestLimits(options.MaxRequestBytes, options.MaxKeyBytes, options.MaxValueBytes));

    /// <summary>What it was made with.</summary>
    public ProtocolOptions Options => _options;

    /// <summary>What the host must carry out, in order, and then clear.</summary>
    public List<Effect> Effects { get; } = [];

    /// <summary>The accepted view; <see cref="View.None"/> before the first.</summary>
    public View View => _view;

    /// <summary>Whether the accepted view is on disk.</summary>
    public bool IsViewDurable => _persisted >= _viewFact;

    /// <summary>Whether this node leads now.</summary>
    public bool IsSequencer => _leading != null;

    /// <summary>When a majority last answered this node as the sequencer; null if it does not lead.</summary>
    internal TimeSpan? MajorityHeardAt => _leading?.QuorumAt;

    /// <summary>Every uid up to this one is in the log, on disk.</summary>
    public Uid Contiguous => _log.Durable.Contiguous;

    /// <summary>Every write up to this one is known to be committed. Those that are on its disk without a gap are
    /// <see cref="Applied"/>.</summary>
    public Uid Committed => _knownCommitted;

    /// <summary>How many uids up to the known committed one are missing.</summary>
    public long Gap => _log.Held.CountMissing(new UidRange(_state.Applied.Next, _knownCommitted));

    /// <summary>The entry at the uid if it is held and in memory.</summary>
    internal LogEntry? EntryAt(Uid uid) => _log.Find(uid);

    /// <summary>The state: what is applied.</summary>
    internal KeyValueState State => _state;

    /// <summary>How many keys the state has.</summary>
    public long KeyCount => _state.Count;

    /// <summary>The uid of the last write in the state.</summary>
    public Uid Applied => _state.Applied;

    /// <summary>A digest of the state: <see cref="KeyValueState.Digest"/>.</summary>
    public ulong Digest => _state.Digest;

    /// <summary>The highest epoch promised.</summary>
    public Epoch PromisedEpoch => _promised.Epoch;

    /// <summary>The number of the last fact emitted or replayed.</summary>
    public long FactCount => _facts;

    /// <summary>Who leads now, as far as this replica has heard within a lease time; null if nobody.</summary>
    public NodeId? KnownSequencer(TimeSpan now)
    {
        if (LeadsOn) return _self.Node;
        var heard = _view.Epoch > Epoch.Zero && _view.Epoch == _promised.Epoch && _view.Sequencer != _self.Node
            && now - _lastHeartbeat < Lease;
        return heard ? _view.Sequencer : null;
    }

    /// <summary>What this replica may do now.</summary>
    public NodeMode Mode(TimeSpan now)
    {
        if (!_view.IsInSync(_self) || _barred != null || _lost != null) return NodeMode.Zombie;
        return HasLease(now) ? NodeMode.Alive : NodeMode.Ready;
    }

    /// <summary>Before <see cref="Start"/>: each fact of the journal, in order.</summary>
    /// <exception cref="InvariantViolationException">The facts contradict each other: the journal is
    /// damaged.</exception>
    public void Replay(Fact fact)
    {
        _facts++;
        _persisted = _facts;
        // Of what the checkpoint has seen only the log is built anew: promise and view are later ones, and what it
        // applied stays.
        var isKnown = _facts <= _base.Fact;
        switch (fact)
        {
            case Promised promised:
                if (!isKnown) _promised = promised;
                break;
            case ViewAccepted accepted:
                if (isKnown) DropKnown(accepted.Dropped);
                else Evolve(accepted);
                break;
            case OrphansDropped orphans:
                if (isKnown) DropKnown(orphans.Dropped);
                else Drop(orphans.Dropped);
                break;
            case EntriesAppended appended:
                ReplayEntries(appended);
                break;
            default:
                throw new InvariantViolationException($"fact {_facts} is of unknown type {fact.GetType().Name}");
        }

        // The checkpoint knows what was committed when it was made; before all facts that it has seen, the log still
        // has entries which one of them dropped.
        if (_facts >= _base.Fact || Mutated(Mutations.CheckpointCommitsEarly)) ApplyCommitted();
    }

    private void ReplayEntries(EntriesAppended fact)
    {
        var batch = fact.Batch;
        if (batch.Last > _base.Settled)
        {
            batch = EntryLog.Slice(batch, Uid.Max(batch.First, _base.Settled.Next), batch.Last);
            if (_log.Lacking(batch).Sum(b => b.Requests.Count) != batch.Requests.Count)
                throw new InvariantViolationException($"fact {_facts} repeats uids of {batch.First}..{batch.Last}");
            _log.Append(batch, _facts);
            _log.Persisted(_facts);
            for (var uid = batch.First; uid <= batch.Last && uid <= _base.Applied; uid = uid.Next) _log.Applied(uid);
        }

        KnowCommitted(fact.Committed);
    }

    // Copies of committed entries from before they were appended again: the state has what counts.
    private void DropKnown(UidRange[] orphans)
    {
        foreach (var range in orphans)
        {
            if (range.Last > _base.Settled) _log.Drop(range with { First = Uid.Max(range.First, _base.Settled.Next) });
        }
    }

    /// <summary>The journal is replayed; from now on inputs come.</summary>
    /// <param name="now">The local clock.</param>
    /// <param name="lost">R11: what the journal has lost, as the host can tell by itself; null if nothing.</param>
    public void Start(TimeSpan now, string? lost = null)
    {
        _now = _startedAt = _lastHeartbeat = _reachedAt = _tickedAt = now;
        if (_facts < _base.Fact)
            lost ??= $"the journal ends at fact {_facts}, but the checkpoint has seen {_base.Fact}";
        _lost = Mutated(Mutations.LossIgnored) ? null : lost;
        ExpectDurable();
        CheckOwnFolder();
        ResetElectionTimer();
        // What a start before this one may not have come to.
        if (_lost == null) Compact();
        Notice($"{_self} starts at uid {Contiguous}, committed {Committed}, promised {_promised.Epoch}, {_view}");
        Settle();
    }

    /// <summary>Time has passed. To be called every 10 ms or so; it times heartbeats, elections and resends.</summary>
    public void Tick(TimeSpan now)
    {
        if (_stopped || _barred != null) return;
        _now = now;
        if (_lost != null)
        {
            LeaveTick();
            return;
        }

        MeasureSlowness();
        if (_leading != null) LeadingTick(_leading);
        CanvassTick();
        if (_campaign != null) CampaignTick(_campaign);
        ElectionTick();
        LeaveTick();
        RefuseReadsWithoutLease();
        TransferTick();
        Heal();
        Settle();
    }

    /// <summary>All facts up to this number are on disk.</summary>
    public void Persisted(TimeSpan now, long number)
    {
        if (_stopped) return;
        _now = now;
        if (number <= _persisted) return;
        _persisted = number;
        var before = _log.Durable.Contiguous;
        _log.Persisted(number);
        ExpectDurable();
        // What waited for the disk is not said in the name of a doubtful one.
        if (_lost != null) _whenDurable.Clear();
        while (_whenDurable.TryPeek(out var next) && next.Fact <= number)
        {
            _whenDurable.Dequeue();
            next.Then();
        }

        if (_log.Durable.Contiguous > before)
        {
            SynchronizationProgressed();
            if (_leading != null) SelfAppended(_leading);
            ApplyCommitted();
            Heal();
        }

        Settle();
    }

    // Who was seen to send what no replica sends; the operator is told once of each.
    private readonly HashSet<NodeId> _malformed = [];

    /// <summary>A message of another replica, or of who takes this node for one of its peers (R12). One that is
    /// malformed is refused.</summary>
    public void Receive(TimeSpan now, Header header, PeerMessage message)
    {
        if (_stopped) return;
        _now = now;
        if (Accepts(header, message) && IsWellFormed(header.From, message))
        {
            if (!LacksEntries) _reachedAt = now;
            if (_lost != null) ReceiveWithoutTail(header.From, message);
            else Dispatch(header.From, message);
        }

        Settle();
    }

    private bool IsWellFormed(MemberId from, PeerMessage message)
    {
        var held = Uid.Max(Uid.Max(_log.Held.Highest, _knownCommitted), _view.FirstUid);
        if (new WellFormed(_promised.Epoch, held).Check(message)) return true;
        if (_malformed.Add(from.Node)) Notice($"{_self} refuses a malformed {message.GetType().Name} of {from}");
        return false;
    }

    // The one gate for stale epochs, before any dispatch on type or role (R1): what bears a lower epoch than the
    // promised one is refused. Not so canvasses and refusals, which change no log, and what fills gaps, of which each
    // entry, or the uid of the state, is looked at.
    private void Dispatch(MemberId from, PeerMessage message)
    {
        switch (message)
        {
            case Canvass m: OnCanvass(from, m); return;
            case CanvassReply m: OnCanvassReply(from, m); return;
            case Refuse m: OnRefuse(from, m); return;
            case Fetch m: OnFetch(from, m); return;
            case Entries m: OnEntries(from, m); return;
            case Compacted m: OnCompacted(from, m); return;
            case FetchState m: OnFetchState(from, m); return;
            case StatePage m: OnStatePage(from, m); return;
        }

        if (message.Epoch < _promised.Epoch && !Mutated(Mutations.NoEpochGate))
        {
            if (message is RequestPromise or Synchronize or InstallView or Append or Heartbeat)
                Send(from.Node, new Refuse(message.Epoch, _promised.Epoch));
            return;
        }

        switch (message)
        {
            case RequestPromise m: OnRequestPromise(from, m); break;
            case Promise m: OnPromise(from, m); break;
            case Synchronize m: OnSynchronize(from, m); break;
            case Synchronized m: OnSynchronized(from, m); break;
            case InstallView m: OnInstallView(from, m); break;
            case AcceptedView m: OnAcceptedView(from, m); break;
            case TailLost m: OnTailLost(m); break;
            case Handover m: OnHandover(from, m); break;
            case Leaving m: OnLeaving(from, m); break;
            case ViewWanted m: OnViewWanted(from, m); break;
            case Appended m: OnAppended(from, m); break;
            case HeartbeatAck m: OnHeartbeatAck(from, m); break;
            case Append m when InView(from, m): OnAppend(m); break;
            case Commit m when InView(from, m): LearnCommitted(m.Committed); break;
            case Heartbeat m when InView(from, m): OnHeartbeat(m); break;
        }
    }

    // Whether the message comes from the sequencer of the accepted view, no higher epoch being promised. The sequencer
    // of a view that was missed is asked for it.
    private bool InView(MemberId from, PeerMessage message)
    {
        if (message.Epoch == _view.Epoch && from.Node == _view.Sequencer) return _leading == null;
        if (message.Epoch == _view.Epoch && _view.Epoch > Epoch.Zero)
        {
            NoteOtherHistory(from, message.Epoch);
            if (message is Heartbeat) Send(from.Node, new Refuse(message.Epoch, message.Epoch));
        }

        if (message.Epoch > _view.Epoch) Send(from.Node, new ViewWanted(message.Epoch));
        return Mutated(Mutations.NoEpochGate) && message.Epoch <= _view.Epoch && _leading == null;
    }

    // Messages to this replica itself take the same way as those of others, at the end of the input.
    private void Settle()
    {
        while (_toSelf.TryDequeue(out var message))
        {
            _senderCluster = Cluster;
            Dispatch(_self, message);
        }
    }

    private void Send(NodeId to, PeerMessage message)
    {
        if (to == _self.Node) _toSelf.Enqueue(message);
        else Effects.Add(new Effect.Send(to, message));
    }

    private void SendToOthers(PeerMessage message)
    {
        foreach (var node in _options.Nodes)
            if (node != _self.Node) Send(node, message);
    }

    private long Journal(Fact fact)
    {
        Effects.Add(new Effect.Journal(++_facts, fact));
        return _facts;
    }

    // Runs the action once all facts so far are on disk. It must check again whatever may have changed meanwhile.
    private void WhenDurable(Action then)
    {
        if (_persisted == _facts || Mutated(Mutations.AcknowledgeBeforeDurable)) then();
        else _whenDurable.Enqueue((_facts, then));
    }

    private void Notice(string text) => Effects.Add(new Effect.Notice(text));

    private TimeSpan Jitter(TimeSpan upTo) =>
        TimeSpan.FromTicks((long)(_random.NextUnit() * upTo.Ticks));
}
