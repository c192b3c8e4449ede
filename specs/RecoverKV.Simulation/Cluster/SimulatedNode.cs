using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>A machine: a clock that is off and drifts, a disk, and a process that runs the core and carries out its
/// effects.</summary>
internal sealed class SimulatedNode
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(10);

    private readonly SimulatedCluster _cluster;
    private readonly Prng _random;
    private readonly double _rate;
    private readonly Queue<Action> _inbox = new();
    private TimeSpan _clockOffset;
    private TimeSpan _pausedUntil;
    private int _life;
    private Guid _store;
    private bool _isSuccessor;
    private (SimulatedDisk Disk, MemberId Member, Guid Store)? _own;

    public SimulatedNode(SimulatedCluster cluster, int index, Prng random)
    {
        (_cluster, Index, _random) = (cluster, index, random);
        Id = new NodeId($"n{index + 1}");
        Member = new MemberId(Id, random.Guid());
        _rate = random.Between(0.955, 1.045);
        Disk = NewDisk();
    }

    private SimulatedDisk NewDisk() => new(_cluster.Scheduler, _random.Fork(), _cluster.Scenario.MaxDiskDelay)
    {
        Durable = number => Input(core =>
        {
            core.Persisted(Clock, number);
            if (core.IsViewDurable) _store = core.Cluster;
        }),
    };

    public int Index { get; }

    public NodeId Id { get; }

    /// <summary>The number of the process's run.</summary>
    public int Life => _life;

    /// <summary>Another one after the disk was lost.</summary>
    public MemberId Member { get; private set; }

    public SimulatedDisk Disk { get; private set; }

    /// <summary>R12: the store of its folder; empty while that does not know.</summary>
    public Guid Store => _store;

    /// <summary>Its folder is another store's.</summary>
    public bool IsForeign => _own is not null;

    /// <summary>What it has in common with the others, normally.</summary>
    public Setting[] Settings { get; set; } = [];

    private const string Full = "there is no room left";

    /// <summary>Whether its disk has no room for more data.</summary>
    public bool IsDiskFull { get; private set; }

    /// <summary>The disk is full, or has room again.</summary>
    public void FillDisk(bool full)
    {
        IsDiskFull = full;
        Input(core => core.DiskRoom(Clock, full ? Full : null));
    }

    /// <summary>Null while the process is down.</summary>
    public ReplicaCore? Core { get; private set; }

    public bool IsUp => Core is not null;

    public bool IsPaused => _pausedUntil > _cluster.Scheduler.Now;

    /// <summary>What the core has journalled, durable or not.</summary>
    public JournalImage Appended { get; private set; } = new();

    /// <summary>Up to here the committed entries of this process were compared.</summary>
    public long Compared { get; set; }

    /// <summary>The machine's monotonic clock; it may be another one after a restart.</summary>
    public TimeSpan Clock => _clockOffset + _cluster.Scheduler.Now * _rate;

    public void Start()
    {
        if (IsUp) return;
        if (_life == 0 || _random.Chance(0.3)) _clockOffset = _random.Between(TimeSpan.Zero, TimeSpan.FromHours(100));
        var life = ++_life;
        _pausedUntil = TimeSpan.Zero;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "start", Id.Name, "", Member.ToString());
        var options = _cluster.Scenario.Options with
        {
            Self = Member,
            Nodes = _cluster.NodeIds,
            Run = (long)(_random.Next() >> 1) | 1,
            Seed = _random.Next(),
            Lease = _cluster.Scenario.Options.Lease
                * (_cluster.Scenario.UnequalLeases ? _random.OneOf(0.5, 1, 1, 2) : 1),
            MemoryQuota = _cluster.Scenario.UnequalQuotas
                ? (long)(_cluster.Scenario.Options.MemoryQuota / _random.OneOf(1.0, 1.0, 2.0))
                : _cluster.Scenario.Options.MemoryQuota,
            Cluster = _store,
            IsSuccessor = _isSuccessor,
            NewCluster = _random.Guid(),
            Agreed = Settings,
        };
        var saved = Disk.Saved;
        Appended = Disk.ImageOf(Disk.Facts.Count);
        var state = ReplicaCore.NewState(options);
        saved.RestoreTo(state);
        Core = new ReplicaCore(options, saved.Base, state) { Mutations = _cluster.Mutations };
        // What a journal has lost is in the checkpoint: the state as a whole is compared, not its entries.
        Compared = Disk.Facts.Count < saved.Base.Fact ? saved.Base.Applied.Value : 0;
        Step(core =>
        {
            if (saved.Base.ReplayFrom < Disk.FirstFact)
                throw new ViolationException(
                    "What is needed is kept",
                    $"{Id} starts from fact {saved.Base.ReplayFrom}, its journal from {Disk.FirstFact}");
            if (Disk.Incoming is { Next: { } next } incoming && incoming.At > core.Applied)
                core.ResumeTransfer(new TakenState(incoming.At, next, incoming.Keys.Count, 0));
            foreach (var fact in Disk.Facts.Skip((int)saved.Base.ReplayFrom - 1)) core.Replay(fact);
            if (!IsForeign) _cluster.Properties.ForEach(p => p.OnReplayed(this, core));
            var known = Math.Max(Disk.Counted, saved.Base.Fact);
            core.Start(Clock, known > Disk.Facts.Count ? $"{Disk.Facts.Count} of {known} facts are left" : null);
            if (IsDiskFull) core.DiskRoom(Clock, Full);
        });
        new Checkpointing(_cluster, this, _random.Fork()).Plan();
        Tick(life);
    }

    /// <summary>The process is gone, at once.</summary>
    public void Crash(bool failedWrite = false)
    {
        if (!IsUp) return;
        _cluster.Trace.Add(_cluster.Scheduler.Now, failedWrite ? "disk fail" : "crash", Id.Name);
        Core = null;
        _life++;
        _inbox.Clear();
        Disk.Crash(failedWrite);
        foreach (var client in _cluster.Clients) client.Ended(this);
    }

    /// <summary>The data folder is lost; the node starts over as another member.</summary>
    public void Wipe()
    {
        Crash();
        _cluster.Trace.Add(_cluster.Scheduler.Now, "wipe", Id.Name);
        Disk.Wipe();
        Member = new MemberId(Id, _random.Guid());
        (_store, _isSuccessor) = (Guid.Empty, false);
    }

    /// <summary>Its folder is exchanged for one of another store, with these facts; null gives its own back. The node
    /// is down then.</summary>
    public void Exchange(IReadOnlyList<Fact>? facts)
    {
        Crash();
        if (facts is null)
        {
            if (_own is { } own) (Disk, Member, _store) = own;
            _own = null;
            return;
        }

        _own ??= (Disk, Member, _store);
        var view = facts.OfType<ViewAccepted>().First().View;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "exchange", Id.Name, "", view.ToString());
        (Disk, _store) = (NewDisk(), view.Cluster);
        Member = view.Members.First(m => m.Node == Id);
        Disk.Load(facts);
    }

    public void Pause(TimeSpan time)
    {
        if (!IsUp || IsPaused) return;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "pause", Id.Name, "", time.ToString());
        _pausedUntil = _cluster.Scheduler.Now + time;
        var life = _life;
        _cluster.Scheduler.After(time, () =>
        {
            if (life == _life) Resume();
        });
    }

    public void Resume()
    {
        if (_pausedUntil == TimeSpan.Zero) return;
        _pausedUntil = TimeSpan.Zero;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "resume", Id.Name);
        var life = _life;
        while (life == _life && !IsPaused && _inbox.TryDequeue(out var input)) input();
    }

    /// <summary>An input of the core, now or when the pause is over; lost if the process is down.</summary>
    public void Input(Action<ReplicaCore> input)
    {
        if (!IsUp) return;
        if (IsPaused) _inbox.Enqueue(() => Step(input));
        else Step(input);
    }

    private void Tick(int life)
    {
        if (life != _life) return;
        if (!IsPaused) Step(core => core.Tick(Clock));
        _cluster.Scheduler.After(TickInterval, () => Tick(life));
    }

    private void Step(Action<ReplicaCore> input)
    {
        if (Core is not { } core) return;
        try
        {
            input(core);
        }
        catch (Exception e) when (e is not ViolationException)
        {
            throw new ViolationException("The core does not throw", $"{Id}: {e.Message}", e);
        }

        Effect[] effects = [.. core.Effects];
        core.Effects.Clear();
        if (IsForeign && core.Cluster != _store)
            throw new ViolationException("Stores stay apart", $"{Id} has joined another store: {core.View}");
        foreach (var effect in effects)
        {
            if (effect is not Effect.Journal { Fact: var fact }) continue;
            if (!IsForeign) foreach (var property in _cluster.Properties) property.OnFact(this, fact);
            Appended.Apply(fact);
        }

        if (!IsForeign) foreach (var property in _cluster.Properties) property.AfterStep(this, core);
        _cluster.Trace.Mix((ulong)core.Applied.Value);
        foreach (var effect in effects) CarryOut(core, effect);
    }

    private void CarryOut(ReplicaCore core, Effect effect)
    {
        var now = _cluster.Scheduler.Now;
        switch (effect)
        {
            case Effect.Journal journal:
                _cluster.Trace.Add(now, "journal", Id.Name, "", journal.Fact);
                Disk.Append(journal.Number, journal.Fact);
                break;
            case Effect.Send send:
                _cluster.Trace.Add(now, "send", Id.Name, send.To.Name, send.Message);
                if (!IsForeign) foreach (var property in _cluster.Properties) property.OnSend(this, send.Message);
                _cluster.Deliver(this, core.HeaderTo(send.To), send.Message);
                break;
            case Effect.ServeFromJournal serve:
                Serve(serve);
                break;
            case Effect.Forget forget:
                // It takes its time, and a crash may come before.
                After(() => _cluster.Statistics.Forgotten += Disk.Forget(forget.Before));
                break;
            case Effect.ServeState serve:
                After(() => Serve(serve));
                break;
            case Effect.TakeState take:
                After(() => Take(take));
                break;
            case Effect.DropState:
                Disk.Incoming = null;
                break;
            case Effect.InstallState install:
                After(() => Install(install));
                break;
            case Effect.AnswerWrite { Caller: Attempt attempt, Answer: var answer }:
                _cluster.Trace.Add(now, "answer", Id.Name, attempt.Operation.Client.Name, answer);
                foreach (var property in _cluster.Properties) property.OnWriteAnswer(this, attempt, answer);
                attempt.Operation.Client.Answer(this, core, attempt, answer);
                break;
            case Effect.AnswerRead { Caller: Attempt attempt, Answer: var answer }:
                _cluster.Trace.Add(now, "answer", Id.Name, attempt.Operation.Client.Name, answer);
                foreach (var property in _cluster.Properties) property.OnReadAnswer(this, attempt, answer);
                attempt.Operation.Client.Answer(this, core, attempt, answer);
                break;
            case Effect.AnswerScan { Caller: Attempt attempt, Reply: var reply }:
                foreach (var property in _cluster.Properties) property.OnScanAnswer(this, attempt, reply);
                attempt.Operation.Client.Answer(this, core, attempt, reply);
                break;
            case Effect.StartOver startOver:
                _cluster.Trace.Add(now, "startover", Id.Name, "", startOver.Reason);
                foreach (var property in _cluster.Properties) property.OnStartOver(this, startOver.Reason);
                // The folder made anew knows the store of the one before.
                var store = _store;
                Wipe();
                (_store, _isSuccessor) = (store, true);
                _cluster.Scheduler.After(TimeSpan.FromMilliseconds(50), Start);
                break;
            case Effect.Left:
                Crash();
                _cluster.Scheduler.After(_random.Milliseconds(10, 2000), Start);
                break;
            case Effect.Warning warning:
                _cluster.Trace.Add(now, "warning", Id.Name, "", warning.Text);
                break;
            case Effect.Notice notice:
                _cluster.Trace.Add(now, "notice", Id.Name, "", notice.Text);
                break;
            default:
                throw new ViolationException("Effects are known", $"{effect}");
        }
    }

    // Nothing, if the process is gone by then.
    private void After(Action action)
    {
        var life = _life;
        _cluster.Scheduler.After(_random.Between(TimeSpan.Zero, _cluster.Scenario.MaxDiskDelay), () =>
        {
            if (life == _life) action();
        });
    }

    private void Serve(Effect.ServeState serve)
    {
        var chunk = Disk.Saved.Base.Applied == serve.Request.At
            ? Disk.Saved.After(serve.Request.After, _random.Between(1, 5))
            : null;
        var page = new StatePage(serve.Request.Epoch, serve.Request.Id, chunk);
        _cluster.Trace.Add(_cluster.Scheduler.Now, "send", Id.Name, serve.To.Name, page);
        _cluster.Deliver(this, Core!.HeaderTo(serve.To), page);
    }

    private void Take(Effect.TakeState take)
    {
        if (take.IsFirst) Disk.Incoming = new IncomingState { At = take.At };
        var taken = Disk.Incoming!.Take(take.Chunk);
        // After one that failed it waits for longer than all else takes, once the faults have ended.
        var fails = _random.Chance(0.01) && _cluster.Scheduler.Now < _cluster.Scenario.FaultsEnd;
        if (!taken || fails) (Disk.Incoming, taken) = (null, false);
        Input(core => core.StateTaken(Clock, taken));
    }

    // Or the process ends just before.
    private void Install(Effect.InstallState install)
    {
        if (_random.Chance(0.9))
        {
            _cluster.Statistics.Transfers++;
            _cluster.Trace.Add(
                _cluster.Scheduler.Now, "install", Id.Name, "",
                $"uid {install.Base.Applied} fact {install.Base.Fact} from {install.Base.ReplayFrom}");
            Disk.Install(Disk.Incoming!.As(install), _cluster.Committed.First(install.Base.Applied.Value));
        }

        Crash();
        _cluster.Scheduler.After(_random.Milliseconds(10, 500), Start);
    }

    private void Serve(Effect.ServeFromJournal serve)
    {
        if (serve.FirstFact < Disk.FirstFact)
            throw new ViolationException(
                "What is needed is kept",
                $"{Id} would read fact {serve.FirstFact}, its journal begins with {Disk.FirstFact}");
        _cluster.Statistics.JournalReads++;
        _cluster.Trace.Add(_cluster.Scheduler.Now, "serve", Id.Name, serve.To.Name, serve.Request);
        var life = _life;
        _cluster.Scheduler.After(_random.Between(TimeSpan.Zero, _cluster.Scenario.MaxDiskDelay), () =>
        {
            if (life != _life) return;
            var options = _cluster.Scenario.Options;
            var batches = Disk.Read(serve, options.FetchEntries, options.FetchBytes);
            var entries = new Entries(serve.Request.Epoch, serve.Request.Id, batches);
            _cluster.Trace.Add(_cluster.Scheduler.Now, "send", Id.Name, serve.To.Name, entries);
            _cluster.Deliver(this, Core!.HeaderTo(serve.To), entries);
        });
    }
}
