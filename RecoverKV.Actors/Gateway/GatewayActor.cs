using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Akka.Actor;
using RecoverKV.Actors.Configuration;
using RecoverKV.Actors.Replica;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Gateway;

/// <summary>
/// The one actor of a node that clients talk to. It passes their requests to the replica, which answers them, and
/// answers itself while the replica is out of service.
/// </summary>
internal sealed class GatewayActor : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "gateway";

    private readonly NodeSettings _settings;
    private readonly TimeSpan _startedAt = Stopwatch.GetElapsedTime(0);
    private IActorRef? _replica;

    /// <summary>Made by <see cref="PropsFor"/>.</summary>
    public GatewayActor(NodeSettings settings) => _settings = settings;

    /// <summary>The gateway of a node.</summary>
    public static Props PropsFor(NodeSettings settings) => Props.Create(() => new GatewayActor(settings));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ReplicaActor.Ready ready:
                _replica = ready.Replica;
                Context.Watch(_replica);
                break;
            case Terminated terminated when terminated.ActorRef.Equals(_replica):
                _replica = null;
                break;
            case UnknownMessage unknown:
                Sender.Tell(new Unsupported(unknown.Manifest));
                break;
            case StopNode stop when !Allows(stop.Secret):
                Refuse(stop.Id);
                break;
            case PartitionNode partition when !Allows(partition.Secret):
                Refuse(partition.Id);
                break;
            case StopNode stop:
                Stop(stop);
                break;
            case IClientMessage when _replica != null:
                _replica.Forward(message);
                break;
            case IClientMessage:
                AnswerWithoutReplica(message);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private bool Allows(string? secret) =>
        _settings.Chaos
        || _settings.ChaosSecret.Length > 0 && secret != null && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(_settings.ChaosSecret));

    private void Refuse(long id) => Sender.Tell(new AdminReply(id, false, "this node has recoverkv.chaos = off"));

    private void Stop(StopNode stop)
    {
        if (!stop.Clean)
        {
            // As by kill -9: nothing gets the chance to tidy up.
            Process.GetCurrentProcess().Kill();
            return;
        }

        if (_replica == null)
        {
            Sender.Tell(new AdminReply(stop.Id, false, OutOfService));
            return;
        }

        _replica.Tell(ReplicaActor.Leave.Instance);
        Sender.Tell(new AdminReply(stop.Id, true));
    }

    private string OutOfService => Stopwatch.GetElapsedTime(0) - _startedAt < TimeSpan.FromSeconds(2)
        ? "the replica is starting"
        : "the replica is out of service: it replays its journal, or its journal failed (see the node's log)";

    private void AnswerWithoutReplica(object message)
    {
        switch (message)
        {
            case WriteBatch batch:
                Sender.Tell(new WriteReplies(
                    [.. batch.Requests.Select(
                        r => new WriteAnswer(r.Session, r.Number, WriteStatus.NotSequencer, 0, []))]));
                break;
            case ReadBatch batch:
                Sender.Tell(new ReadReplies(
                    [.. batch.Reads.Select(r => new ReadAnswer(r.Id, ReadStatus.NotAlive, []))]));
                break;
            case ScanRequest scan:
                Sender.Tell(new ScanReply(scan.Id, ReadStatus.NotAlive, [], default));
                break;
            case NodeStatusRequest request:
                var self = _settings.Self;
                Sender.Tell(new NodeStatus(
                    request.Id, self.Node.Name, self.Host, self.Port, Environment.ProcessId, NodeMode.Zombie, 0, false,
                    null, 0, 0, 0, 0, OutOfService));
                break;
            case PartitionNode partition:
                Sender.Tell(new AdminReply(partition.Id, false, OutOfService));
                break;
            case CheckpointNode checkpoint:
                Sender.Tell(new AdminReply(checkpoint.Id, false, OutOfService));
                break;
        }
    }
}
