using RecoverKV.Client.Contracts;
using RecoverKV.Client.Reads;

namespace RecoverKV.Client.Connection;

/// <summary>A node as this client knows it. Lives as long as views name it at this address.</summary>
internal sealed class NodeRoute
{
    private long _lastHeard;
    private bool _suspected;
    private long _notAliveUntil;
    private long _arrived;
    private long _roundTrip;
    private volatile int _losses;
    private volatile bool _isStranger;
    private volatile bool _doubted;

    internal NodeRoute(string node, string host, int port)
    {
        Node = node;
        Where = new ContactPoint(host, port);
        Lanes = [.. Enum.GetValues<ReadConsistency>().Select(c => new ReadLane(this, c))];
    }

    internal string Node { get; }

    internal string Host => Where.Host;

    internal int Port => Where.Port;

    /// <summary>Its configured address.</summary>
    internal ContactPoint Where { get; }

    /// <summary>By consistency.</summary>
    internal ReadLane[] Lanes { get; }

    /// <summary>When a message of the node came last.</summary>
    internal long LastHeard => Volatile.Read(ref _lastHeard);

    /// <summary>Whether it stayed silent when it should have answered, and has been silent since.</summary>
    internal bool Suspected => Volatile.Read(ref _suspected);

    /// <summary>How often a connection to or from it broke: what was sent before may be lost, and its answer
    /// too.</summary>
    internal int Losses => _losses;

    /// <summary>How long the last question took there and back.</summary>
    internal long RoundTrip => Volatile.Read(ref _roundTrip);

    /// <summary>R12: whether it is of another store than this client.</summary>
    internal bool IsStranger
    {
        get => _isStranger;
        set => _isStranger = value;
    }

    /// <summary>Which store it named last; guarded by the lock of the <see cref="ClusterMap"/>.</summary>
    internal Guid Store { get; set; }

    /// <summary>When it is asked again whether it is there; used by the sweep only.</summary>
    internal long NextProbe { get; set; }

    /// <summary>Whether it is asked whether it is there.</summary>
    internal bool IsProbed => Suspected || _isStranger || _doubted;

    /// <summary>Whether it is worth sending to: not silent, and of the right store.</summary>
    internal bool IsThere => !Suspected && !_isStranger;

    internal ReadLane Lane(ReadConsistency consistency) => Lanes[(int)consistency];

    internal void Heard(long now)
    {
        Volatile.Write(ref _lastHeard, now);
        Volatile.Write(ref _suspected, false);
    }

    /// <summary>It is asked whether it is there: what it should have answered may be lost, or only late.</summary>
    internal void Doubt() => _doubted = true;

    /// <summary>It answered a question that was sent at <paramref name="askedAt"/>.</summary>
    internal void Answered(long askedAt, long now)
    {
        if (askedAt <= 0 || askedAt > now) return;
        _doubted = false;
        Volatile.Write(ref _roundTrip, now - askedAt);
        if (askedAt > _arrived) Volatile.Write(ref _arrived, askedAt);
    }

    /// <summary>Whether what was sent to it then has come there: messages of one connection do not overtake each other.
    /// </summary>
    internal bool HasGot(long sentAt) => sentAt < Volatile.Read(ref _arrived);

    /// <summary>A connection to or from it broke.</summary>
    internal void Lost()
    {
        Interlocked.Increment(ref _losses);
        Suspect();
    }

    internal void Suspect() => Volatile.Write(ref _suspected, true);

    /// <summary>It said that it may not answer reads now.</summary>
    internal void NotAlive(long now) => Volatile.Write(ref _notAliveUntil, now + Timing.NotAlivePause);

    internal bool AnswersReads(long now) => IsThere && Volatile.Read(ref _notAliveUntil) <= now;
}
