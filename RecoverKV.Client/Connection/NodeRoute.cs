using Akka.Actor;
using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;

namespace RecoverKV.Client.Connection;

/// <summary>A node as this client knows it. Lives as long as views name it at this address.</summary>
internal sealed class NodeRoute
{
    private long _lastHeard;
    private bool _suspected;
    private long _notAliveUntil;

    internal NodeRoute(string node, string host, int port, IActorRef gateway)
    {
        Node = node;
        Host = host;
        Port = port;
        Gateway = gateway;
        Lanes = [.. Enum.GetValues<ReadConsistency>().Select(c => new ReadLane(this, c))];
    }

    internal string Node { get; }

    internal string Host { get; }

    internal int Port { get; }

    internal IActorRef Gateway { get; }

    /// <summary>By consistency.</summary>
    internal ReadLane[] Lanes { get; }

    /// <summary>When a message of the node came last.</summary>
    internal long LastHeard => Volatile.Read(ref _lastHeard);

    /// <summary>Whether it stayed silent when it should have answered, and has been silent since.</summary>
    internal bool Suspected => Volatile.Read(ref _suspected);

    internal ReadLane Lane(ReadConsistency consistency) => Lanes[(int)consistency];

    internal void Heard(long now)
    {
        Volatile.Write(ref _lastHeard, now);
        Volatile.Write(ref _suspected, false);
    }

    internal void Suspect() => Volatile.Write(ref _suspected, true);

    /// <summary>It said that it may not answer reads now.</summary>
    internal void NotAlive(long now) => Volatile.Write(ref _notAliveUntil, now + Timing.NotAlivePause);

    internal bool AnswersReads(long now) => !Suspected && Volatile.Read(ref _notAliveUntil) <= now;
}
