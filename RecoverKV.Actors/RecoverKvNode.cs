using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Gateway;
using RecoverKV.Actors.Network;
using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Replica;
using RecoverKV.Actors.Serialization;
using RecoverKV.Actors.Storage;

namespace RecoverKV.Actors;

/// <summary>A node could not start, or had to stop: one clear line for the operator.</summary>
public class NodeFailedException : Exception
{
    /// <summary>With a message of one line.</summary>
    public NodeFailedException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Why a node ended.</summary>
public enum NodeExit
{
    /// <summary>It left in good order, because it was asked to.</summary>
    Left = 0,

    /// <summary>It must be started again: its actor system was quarantined, or its data folder set aside
    /// (R11).</summary>
    Restart = 1,
}

/// <summary>One running node: actor system, replica, gateway, and its data folder. Thread-safe.</summary>
public sealed class RecoverKvNode : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(10);
    private readonly DataFolder _folder;
    private readonly Owner _owner;
    private readonly IActorRef _supervisor;
    private readonly Action<string>? _notice;

    private RecoverKvNode(
        NodeSettings settings, DataFolder folder, ActorSystem system, Owner owner, IActorRef supervisor,
        Action<string>? notice)
    {
        (Settings, _folder, System, _owner, _supervisor, _notice) =
            (settings, folder, system, owner, supervisor, notice);
        Completion = EndAsync();
    }

    /// <summary>What it was started with.</summary>
    public NodeSettings Settings { get; }

    /// <summary>Its actor system.</summary>
    internal ActorSystem System { get; }

    /// <summary>Ends when the node has ended and let go of its data folder and port: with the reason, or with a
    /// <see cref="NodeFailedException"/>.</summary>
    public Task<NodeExit> Completion { get; }

    /// <summary>Starts a node; returns when it listens. Its replica replays its journal after that.</summary>
    /// <exception cref="NodeFailedException">A wrong setting (<see cref="InvalidSettingsException"/>), a port in use, a
    /// data folder that is in use, of another node, or damaged again and again.</exception>
    public static Task<RecoverKvNode> StartAsync(Config config) => StartAsync(NodeSettings.Load(config));

    /// <summary>Starts a node; returns when it listens. Its replica replays its journal after that.</summary>
    /// <param name="settings">What it is to be.</param>
    /// <param name="notice">Told, in one line, why the start has to wait: the disk is full, or another program has
    /// locked the journal; null to fail then. And that the data folder was damaged and is set aside.</param>
    /// <param name="cancellation">Ends that wait.</param>
    /// <exception cref="NodeFailedException">As above.</exception>
    public static async Task<RecoverKvNode> StartAsync(
        NodeSettings settings, Action<string>? notice = null, CancellationToken cancellation = default)
    {
        // Beside the start: only who needs one of them before it is ready waits for that one.
        _ = Task.Run(ControlCodec.Prepare, CancellationToken.None);
        var folder = await OpenAsync(settings, notice, cancellation).ConfigureAwait(false);
        try
        {
            var door = new Door(settings);
            var system = CreateSystem(settings, folder, door);
            var owner = new Owner();
            system.EventStream.Subscribe(
                system.ActorOf(Props.Create(() => new QuarantineWatch(owner)), "quarantine-watch"),
                typeof(ThisActorSystemQuarantinedEvent));
            var gateway = system.ActorOf(GatewayActor.PropsFor(settings), GatewayActor.Name);
            var supervisor = system.ActorOf(
                ReplicaActor.PropsFor(settings, folder, owner, gateway), "node");
            door.Open(gateway);
            // A node that answers nobody must not look like one that runs.
            system.ActorOf(Props.Create(() => new Watch(owner, gateway, supervisor)), "watch");
            _ = system.WhenTerminated.ContinueWith(
                _ => owner.Failed(new NodeFailedException(
                    $"{settings.Self.Node} has ended: its actor system was stopped")),
                TaskScheduler.Default);
            return new RecoverKvNode(settings, folder, system, owner, supervisor, notice);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private static async Task<DataFolder> OpenAsync(
        NodeSettings settings, Action<string>? notice, CancellationToken cancellation)
    {
        for (var told = false; ; told = true)
        {
            try
            {
                var folder = DataFolder.Open(settings.Data, settings.Self.Node, setDamagedAside: true);
                if (folder.Notice is { } aside) notice?.Invoke(aside);
                return folder;
            }
            catch (StorageUnavailableException e) when (notice is not null)
            {
                if (!told) notice($"{e.Message} The node waits, and tries again.");
            }

            await Task.Delay(FolderRetry, cancellation).ConfigureAwait(false);
        }
    }

    private static readonly TimeSpan FolderRetry = TimeSpan.FromMilliseconds(500);

    /// <summary>Leaves in good order (R8): hands over or gives its lease back first, so that the others need not wait.
    /// Ends after a few lease times and a few seconds for a checkpoint in any case.</summary>
    public async Task LeaveAsync()
    {
        System.ActorSelection(ReplicaActor.Path).Tell(ReplicaActor.Leave.Instance);
        // A replica that is out of service cannot answer; it has nothing to hand over either.
        await Task.WhenAny(Completion, _owner.HasLeft, Task.Delay(3 * LeaseTime)).ConfigureAwait(false);
        if (_owner.HasLeft.IsCompleted)
            await Task.WhenAny(Completion, Task.Delay(LastCheckpoint)).ConfigureAwait(false);
        _owner.Left();
        await Completion.ConfigureAwait(false);
    }

    /// <summary>Ends at once, as a crash would, but lets go of the data folder and the port.</summary>
    public async ValueTask DisposeAsync()
    {
        _owner.Restart("the node was disposed of");
        await Completion.ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
    }

    // R10: the most time that a checkpoint before a clean stop may take; who stops a node often kills it after ten
    // seconds.
    private static readonly TimeSpan LastCheckpoint = TimeSpan.FromSeconds(4);

    private TimeSpan LeaseTime => Settings.ProtocolOptions(Guid.Empty, 1, 0).Lease;

    private async Task<NodeExit> EndAsync()
    {
        var end = await _owner.End.ConfigureAwait(false);
        var log = Logging.GetLogger(System, nameof(RecoverKvNode));
        if (end.Reason.Length > 0) log.Warning("{0}", end.Reason);
        try
        {
            // The replica first: nothing may be journalled once the folder is let go of.
            if (!System.WhenTerminated.IsCompleted) await _supervisor.GracefulStop(ShutdownLimit).ConfigureAwait(false);
            var ended = end.Exit == NodeExit.Left
                ? CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance)
                : System.Terminate();
            await ended.WaitAsync(ShutdownLimit).ConfigureAwait(false);
            if (end.Retire) _folder.Retire();
            // From here on the replica of another disk.
            if (end.Failure is DamagedFolderException damage && _folder.SetAside(damage) is { } told)
            {
                // Its log has ended with its actor system.
                _notice?.Invoke(told);
                return NodeExit.Restart;
            }
        }
        finally
        {
            _folder.Dispose();
        }

        return end.Failure is { } failure ? throw failure : end.Exit;
    }

    private static ActorSystem CreateSystem(NodeSettings settings, DataFolder folder, Door door)
    {
        var setup = ActorSystemSetup.Create(
            [BootstrapSetup.Create().WithConfig(AkkaConfig.Of(settings)), door,
                .. JournalFile.Setups(
                    folder.Journal, settings.Durability,
                    newState: () => ReplicaCore.NewState(settings.ProtocolOptions(Guid.Empty, 1, 0)))]);
        try
        {
            return ActorSystem.Create(NodeSettings.SystemName, setup);
        }
        catch (Exception e)
        {
            var cause = e;
            while (cause.InnerException != null) cause = cause.InnerException;
            throw new NodeFailedException(
                $"{settings.Self.Node} cannot listen on {settings.BindHost}:{settings.BindPort}: {cause.Message}", e);
        }
    }

    private sealed record NodeEnd(
        NodeExit Exit, string Reason = "", bool Retire = false, NodeFailedException? Failure = null);

    private sealed class Owner : INodeOwner
    {
        private readonly TaskCompletionSource<NodeEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<NodeEnd> End => _end.Task;

        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HasLeft => _left.Task;

        public void Leaves() => _left.TrySetResult();

        public void Left() => _end.TrySetResult(new NodeEnd(NodeExit.Left));

        public void StartOver(string reason) => _end.TrySetResult(new NodeEnd(NodeExit.Restart, reason, Retire: true));

        public void Restart(string reason) => _end.TrySetResult(new NodeEnd(NodeExit.Restart, reason));

        public void Failed(NodeFailedException failure) =>
            _end.TrySetResult(new NodeEnd(NodeExit.Restart, Failure: failure));
    }

    /// <summary>What serves clients and peers does not end while the node runs.</summary>
    private sealed class Watch : ReceiveActor
    {
        public Watch(Owner owner, params IActorRef[] served)
        {
            foreach (var actor in served) Context.Watch(actor);
            Receive<Terminated>(ended => owner.Failed(
                new NodeFailedException($"The node has ended: its {ended.ActorRef.Path.Name} was stopped")));
        }
    }

    private sealed class QuarantineWatch : ReceiveActor
    {
        public QuarantineWatch(Owner owner) => Receive<ThisActorSystemQuarantinedEvent>(e =>
            owner.Restart($"{e.RemoteAddress} has quarantined this node; its actor system is made anew"));
    }
}
