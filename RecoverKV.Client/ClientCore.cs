using RecoverKV.Client.Connection;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;
using RecoverKV.Client.Writes;

namespace RecoverKV.Client;

/// <summary>
/// A client without its network, threads and timer: what calls and messages do. It is given all that it takes from
/// outside, so that the simulator runs the same code. Thread-safe, but for <see cref="Received"/>: one message at a
/// time.
/// </summary>
internal sealed class ClientCore
{
    private readonly Func<long> _clock;

    /// <param name="send">Sends a message to a node; messages to one node do not overtake each other.</param>
    /// <param name="clock">Monotonic milliseconds, more than 0.</param>
    /// <param name="random">Jitter.</param>
    /// <param name="later">Runs work behind what waits to be run already.</param>
    internal ClientCore(
        Action<NodeRoute, IClientMessage> send, Func<long> clock, Random random, Action<IThreadPoolWorkItem> later)
    {
        _clock = clock;
        Map = new ClusterMap(send, clock, random);
        Writes = new WritePipeline(Map, send, clock, random, later);
        Reads = new ReadPipeline(Map, send, clock, random, later);
        Asks = new Asks(send);
        Map.Changed = Writes.Reroute;
    }

    internal ClusterMap Map { get; }

    internal WritePipeline Writes { get; }

    internal ReadPipeline Reads { get; }

    internal Asks Asks { get; }

    /// <summary>A message of a node came.</summary>
    /// <param name="message">What it says.</param>
    /// <param name="from">The node; null if no view has named it.</param>
    internal void Received(IClientMessage message, NodeRoute? from)
    {
        var now = _clock();
        from?.Heard(now);
        switch (message)
        {
            case WriteReplies replies:
                Map.Offer(replies.View, from);
                Writes.Receive(replies, from);
                break;
            case ReadReplies replies:
                Map.Offer(replies.View, from);
                Reads.Receive(replies, from);
                break;
            case ScanReply reply:
                Map.Offer(reply.View, from);
                Asks.Answer(reply.Id, reply);
                break;
            case ClusterView view:
                from?.Answered(view.Id, now);
                Map.Offer(view, from);
                break;
            case NodeStatus status:
                Asks.Answer(status.Id, status);
                break;
            case AdminReply reply:
                Asks.Answer(reply.Id, reply);
                break;
            case BackupPart part:
                Asks.Answer(part.Id, part);
                break;
            case Unsupported unsupported:
                Asks.Refuse(from, unsupported.Manifest);
                break;
            default:
                // Nothing else is for a client; a node that sends it gains nothing by it.
                break;
        }
    }

    /// <summary>The connection to a node broke: what was sent before may be lost, and its answers too.</summary>
    internal void Lost(NodeRoute route)
    {
        route.Lost();
        Map.WantView();
        Reads.Lost(route);
    }

    /// <summary>Looks after deadlines and retries; every <see cref="Timing.Sweep"/>.</summary>
    internal void Sweep()
    {
        var now = _clock();
        Map.Sweep(now);
        Writes.Sweep(now);
        Reads.Sweep(now);
    }

    /// <summary>Ends every open call; later ones fail.</summary>
    internal void Close(string reason)
    {
        Writes.Close(reason);
        Reads.Close(reason);
        Asks.Close(reason);
    }
}
