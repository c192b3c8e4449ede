using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.State;
using RecoverKV.Actors.Storage;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Replica;

/// <summary>
/// The host of a <see cref="ReplicaCore"/>: feeds it inputs, journals its facts through Akka.Persistence, carries out
/// its effects. Facts are persisted without waiting for them: one request to the journal is under way, what comes
/// meanwhile makes the next, and reads never wait for the disk. A failed or rejected write stops the actor; its
/// supervisor starts it anew from what the disk has.
/// </summary>
internal sealed class ReplicaActor : UntypedPersistentActor, IWithTimers
{
    /// <summary>Where messages for it go on every node: to its supervisor, which passes them on. Akka.Remote remembers
    /// the actor that it once found at a path, so that one which is started anew would never hear of its peers again.
    /// </summary>
    public const string Path = "/user/node";

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(10);

    private readonly NodeSettings _settings;
    private readonly INodeOwner _owner;
    private readonly IActorRef _gateway;
    private readonly DataFolder _folder;
    private readonly ProtocolOptions _options;
    private readonly IActorRef _storeWriter;

    // Another one, before the first fact, if there is a checkpoint.
    private ReplicaCore _core;
    private readonly CheckpointSettings _checkpoint;
    private CheckpointMaker? _checkpoints;
    private RoomWatch? _room;
    private DiskReads? _reads;
    private RestoredReplica? _restored;
    private readonly Callers _callers;
    private readonly Door? _door;
    private readonly PeerLinks _links;
    private readonly MemberId _self;
    private readonly List<Fact> _facts = [];
    private TimeSpan _storeRetryAt = TimeSpan.MinValue;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>Forgets clients that are gone.</summary>
    private sealed class Housekeeping
    {
        public static readonly Housekeeping Instance = new();
    }

    /// <summary>R8: leave in good order; the owner is told when it is done.</summary>
    public sealed class Leave
    {
        /// <summary>The only one.</summary>
        public static readonly Leave Instance = new();
    }

    /// <summary>Told to the gateway when the replica takes messages.</summary>
    public sealed record Ready(IActorRef Replica);

    /// <summary>Asks for an <see cref="Inspection"/>; for specs, from within the process only.</summary>
    public sealed class Inspect
    {
        /// <summary>The only one.</summary>
        public static readonly Inspect Instance = new();
    }

    /// <summary>How many entries peers have sent to this replica since it started, to fill its gaps (R6).</summary>
    public sealed record Inspection(long FetchedUids);

    /// <summary>Made by <see cref="PropsFor"/>.</summary>
    public ReplicaActor(
        NodeSettings settings, DataFolder folder, INodeOwner owner, IActorRef gateway)
    {
        _settings = settings;
        _owner = owner;
        _gateway = gateway;
        _folder = folder;
        _self = folder.Member;
        PersistenceId = DataFolder.PersistenceIdOf(_self);
        var run = Random.Shared.NextInt64(1, long.MaxValue);
        var options = settings.ProtocolOptions(_self.Incarnation, run, (ulong)Random.Shared.NextInt64());
        var share = DiskRoom.ShareOf(folder.Path, settings.Quota.Disk);
        _checkpoint = settings.Checkpoint with { Bytes = Math.Min(settings.Checkpoint.Bytes, share) };
        _options = options with
        {
            LogBytesKept = Math.Min(options.LogBytesKept, share),
            Cluster = folder.Cluster,
            NewCluster = Guid.NewGuid(),
            IsSuccessor = folder.IsSuccessor,
        };
        _core = new ReplicaCore(_options);
        _storeWriter = Context.ActorOf(
            Props.Create(() => new StoreWriter(folder.Store)).WithDispatcher(AkkaConfig.StoreDispatcher), "store");
        _callers = new Callers(_core.Options.AnswerBytes);
        _door = Door.Of(Context.System);
        _links = new PeerLinks((ExtendedActorSystem)Context.System, settings);
    }

    /// <inheritdoc/>
    public override string PersistenceId { get; }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    // Monotonic, of the machine, so that it goes on while the process is stopped.
    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>The replica under its supervisor, which starts it anew after a pause when its journal fails
    /// it.</summary>
    public static Props PropsFor(
        NodeSettings settings, DataFolder folder, INodeOwner owner, IActorRef gateway) =>
        Akka.Pattern.BackoffSupervisor.Props(
            Akka.Pattern.Backoff.OnStop(
                    Props.Create(() => new ReplicaActor(settings, folder, owner, gateway)),
                    "replica", TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10), 0.2, -1)
                // An exception means that the state can no longer be trusted: from the disk again, after the pause.
                .WithSupervisorStrategy(new OneForOneStrategy(_ => Directive.Stop))
                .WithAutoReset(TimeSpan.FromSeconds(30)));

    /// <inheritdoc/>
    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: RestoredReplica restored }:
                _core = new ReplicaCore(_options, restored.Base, restored.State);
                _restored = restored;
                break;
            case Fact fact:
                _core.Replay(fact);
                break;
            case RecoveryCompleted:
                // What the checkpoint stands for need not be there.
                var end = _restored is null
                    ? LastSequenceNr
                    : Math.Max(_restored.JournalEnd, _restored.Base.ReplayFrom - 1);
                if (_core.FactCount != end)
                {
                    OnRecoveryFailure(new InvariantViolationException(
                        $"it ends at fact {end}, but has only {_core.FactCount} facts"));
                    return;
                }

                _checkpoints = new CheckpointMaker(
                    _core, _folder, _checkpoint, _storeWriter, _gateway, _log, _restored?.Base.Applied ?? Uid.Zero);
                var sharers = _settings.Members.Count(m => m.Host == _settings.Self.Host);
                _room = new RoomWatch(
                    _core, _folder, new DiskRoom(_folder.Path, _settings.Quota.Disk, sharers), Self, _log);
                _reads = new DiskReads(_core, _folder, Self, _gateway, Tell, _log);
                ResumeTransfer();
                _core.Start(Now, LostTail());
                if (_folder.HealFrom is { } peers)
                {
                    _log.Warning(
                        "By an earlier order (partition) this node fills its gaps from {0} only",
                        peers.Length == 0 ? "nobody" : string.Join(", ", peers));
                    _core.HealFrom(Now, peers);
                }

                CarryOut();
                Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, TickInterval);
                Timers.StartPeriodicTimer(
                    RoomWatch.Look.Instance, RoomWatch.Look.Instance, TimeSpan.Zero, RoomWatch.Interval);
                Timers.StartPeriodicTimer(Housekeeping.Instance, Housekeeping.Instance, TimeSpan.FromSeconds(10));
                _gateway.Tell(new Ready(Self));
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        var journal = System.IO.Path.Combine(_settings.Data, JournalFile.Name);
        _owner.Failed(JournalFile.NotReplayed(journal, reason));
    }

    // R10: what an earlier run has taken of a peer's state. What is of no use goes.
    private void ResumeTransfer()
    {
        if (_restored?.Incoming is { } taken && taken.At > _core.Applied)
            _core.ResumeTransfer(taken);
        else _storeWriter.Tell(StoreWriter.Drop.Instance);
    }

    // R11: what the journal has had is known from beside it.
    private string? LostTail()
    {
        var end = _restored?.JournalEnd ?? LastSequenceNr;
        var had = Math.Max(_folder.DurableFacts, _restored?.Base.Fact ?? 0);
        var isWhole = _restored is null || _restored.Base is { FirstFact: 1, Compacted.Value: 0 };
        // No longer of use, and as large as the state was.
        _restored = null;
        if (end >= had) return null;
        var journal = _folder.Journal;
        return $"{journal} ends at fact {end}, but had {had}: {JournalFile.Name}-wal was deleted, "
            + "or an older copy put in its place. This node takes no part until the others can heal it. If they "
            + "cannot, put the lost files back; or make a new store of what is left (`recoverkv rescue`)"
            + (isWhole
                ? $", or accept the loss by deleting {JournalCount.Name} and {StoreFile.Name} of each node"
                : "");
    }

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        _log.Error(cause, "The journal failed to write fact {0}; this replica leaves service for now", sequenceNr);

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        _log.Error(cause, "The journal rejected fact {0}; this replica leaves service for now", sequenceNr);
        throw new InvariantViolationException($"fact {sequenceNr} was rejected: what follows it must not be written");
    }

    /// <inheritdoc/>
    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case PeerEnvelope envelope:
                if (_links.LetsIn(envelope.Header.From.Node)) _core.Receive(Now, envelope.Header, envelope.Message);
                break;
            case WriteBatch or ReadBatch or ScanRequest
                when OtherStore.Refusal(message, _folder.Cluster, () => ViewFor(0)) is { } refusal:
                Sender.Tell(refusal, _gateway);
                break;
            case WriteBatch writes:
                _core.Submit(Now, Caller, writes.Requests);
                break;
            case ReadBatch reads:
                var (now, caller) = (Now, Caller);
                foreach (var read in reads.Reads) _core.Read(now, caller, reads.Consistency, read);
                break;
            case ScanRequest scan:
                _core.Scan(Now, Caller, scan);
                break;
            case JournalTrouble trouble:
                _core.DiskTrouble(Now, trouble.What);
                break;
            case Tick:
                _core.Tick(Now);
                _checkpoints?.Tick(Now);
                if (_folder.Cluster != _core.Cluster) RememberStore();
                break;
            case RoomWatch.Look:
                _room?.Begin();
                break;
            case RoomWatch.Seen seen:
                _room?.End(Now, seen);
                break;
            case DiskReads.Result result:
                _reads?.Take(Now, result);
                break;
            case BackupRequest backup:
                _reads?.Serve(Now, backup, Sender);
                break;
            case StoreWriter.Taken taken:
                if (taken.Failure is { } lost)
                    _log.Warning("A peer's state could not be taken, and is tried again: {0}", lost.OneLine());
                _core.StateTaken(Now, taken.Failure is null);
                break;
            case StoreWriter.Installed installed:
                if (installed.Failure is { } why)
                    _log.Warning("A peer's state could not be put in place, and is tried again: {0}", why.OneLine());
                // Its supervisor starts it anew, from the checkpoint that there is now.
                Context.Stop(Self);
                return;
            case StoreWriter.More:
                _checkpoints?.Next();
                break;
            case StoreWriter.Done done:
                _checkpoints?.Done(Now, done);
                break;
            case StoreWriter.Failed failed:
                _checkpoints?.Failed(Now, failed.Cause);
                break;
            case Housekeeping:
                _callers.Forget(Now);
                break;
            case ClusterViewRequest request:
                Sender.Tell(ViewFor(request.Id), _gateway);
                break;
            case NodeStatusRequest request:
                Sender.Tell(StatusFor(request.Id), _gateway);
                break;
            case PartitionNode partition:
                SetPartition(partition);
                break;
            case CheckpointNode request:
                _checkpoints?.Ask(request, Sender);
                break;
            case Leave:
                _core.Leave(Now);
                break;
            case Inspect:
                Sender.Tell(new Inspection(_core.FetchedUids));
                break;
            default:
                Unhandled(message);
                break;
        }

        CarryOut();
    }

    private ICaller Caller => _callers.Of(Sender, Now);

    private void CarryOut()
    {
        var effects = _core.Effects;
        if (effects.Count == 0) return;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Effect.Journal journal:
                    _facts.Add(journal.Fact);
                    break;
                case Effect.Send send:
                    Tell(send.To, send.Message);
                    break;
                case Effect.AnswerWrite write:
                    _callers.Answer(write.Caller, write.Answer);
                    break;
                case Effect.AnswerRead read:
                    _callers.Answer(read.Caller, read.Answer);
                    break;
                case Effect.AnswerScan scan:
                    var view = scan.Reply.Status == ReadStatus.NotAlive ? ViewFor(0) : null;
                    Callers.Send(scan.Caller, _callers.Fit(scan.Reply) with { View = view }, _gateway);
                    break;
                case Effect.ServeFromJournal serve:
                    _reads?.Serve(serve);
                    break;
                case Effect.ServeState serve:
                    _reads?.Serve(serve);
                    break;
                case Effect.TakeState take:
                    _storeWriter.Tell(new StoreWriter.Take(take.At, take.IsFirst, take.Chunk));
                    break;
                case Effect.DropState:
                    _storeWriter.Tell(StoreWriter.Drop.Instance);
                    break;
                case Effect.InstallState install:
                    var totals = install.Totals;
                    _storeWriter.Tell(new StoreWriter.Install(new StoreHead(
                        PersistenceId, _core.Cluster, totals.Revision, totals.Keys, totals.Digest, totals.Sessions,
                        totals.SessionBytes, install.Base)));
                    break;
                case Effect.Forget forget:
                    Persistence.Instance.Apply(Context.System).JournalFor(JournalPluginId)
                        .Tell(new ReplicaJournal.Forget(PersistenceId, forget.Before, forget.To.Value), Self);
                    break;
                case Effect.StartOver over:
                    _owner.StartOver(over.Reason);
                    break;
                case Effect.Left:
                    _owner.Leaves();
                    if (_checkpoints is null) _owner.Left();
                    else _checkpoints.BeginLast(_owner.Left);
                    break;
                case Effect.Warning warning:
                    _log.Warning(warning.Text);
                    break;
                case Effect.Notice notice:
                    _log.Info(notice.Text);
                    break;
            }
        }

        effects.Clear();
        if (_facts.Count > 0)
        {
            PersistAllAsync(_facts.ToArray(), FactPersisted);
            _facts.Clear();
        }

        _callers.Flush(() => ViewFor(0), _gateway);
    }

    // R12: once the view that names it is active. Nothing waits for it: until then the view itself tells.
    private void RememberStore()
    {
        var now = Now;
        if (now < _storeRetryAt || !_core.IsViewDurable || _core.KnownSequencer(now) == null) return;
        try
        {
            _folder.Cluster = _core.Cluster;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning("The store's id cannot be written to the data folder, and is tried again: {0}", e.Message);
            _storeRetryAt = now + StoreRetry;
        }
    }

    private void Tell(NodeId to, PeerMessage message)
    {
        if (_links.IsOpen(to)) _links[to].Tell(new PeerEnvelope(_core.HeaderTo(to), message), Self);
    }

    // Facts are numbered as the journal numbers them.
    private void FactPersisted(Fact fact)
    {
        _core.Persisted(Now, LastSequenceNr);
        CarryOut();
    }

    private void SetPartition(PartitionNode partition)
    {
        NodeId[]? reachable = partition.Cut ? [.. partition.Reachable.Select(n => new NodeId(n)).Distinct()] : null;
        var unknown = reachable?.FirstOrDefault(n => !_settings.Members.Any(m => m.Node == n));
        if (unknown is { Name: not null } node)
        {
            Sender.Tell(new AdminReply(partition.Id, false, $"{node} is no node of this cluster"), _gateway);
            return;
        }

        if (!partition.Cut || !partition.HealingOnly) _links.Cut(reachable);
        if (!partition.Cut || partition.HealingOnly)
        {
            _folder.HealFrom = reachable;
            _core.HealFrom(Now, reachable);
        }

        Sender.Tell(new AdminReply(partition.Id, true), _gateway);
    }

    private ClusterView ViewFor(long id)
    {
        var view = _core.View;
        var nodes = _settings.Members
            .Select(m => new NodeAddress(m.Node.Name, m.Host, m.Port, view.InSync.Contains(m.Node))).ToArray();
        return new ClusterView(
            id, view.Epoch.Value, _core.KnownSequencer(Now)?.Name, nodes,
            _core.Options.MaxKeyBytes, _core.Options.MaxValueBytes, _folder.Cluster, _core.Options.MaxRequestBytes,
            _settings.FrameSize);
    }

    // Who is not let in at all says nothing that the protocol could tell of.
    private string? ReasonAt(TimeSpan now) =>
        _core.Reason(now) ?? (_core.Mode(now) == NodeMode.Alive ? null : _door?.Refusal);

    private NodeStatus StatusFor(long id)
    {
        var now = Now;
        return new NodeStatus(
            id, _self.Node.Name, _settings.Self.Host, _settings.Self.Port, Environment.ProcessId, _core.Mode(now),
            _core.View.Epoch.Value, _core.IsSequencer, _core.KnownSequencer(now)?.Name, _core.Contiguous.Value,
            _core.Committed.Value, _core.Gap, _core.KeyCount, ReasonAt(now), _core.Applied.Value, (long)_core.Digest,
            _core.AnswersAlone(now), _core.Cluster);
    }
}
