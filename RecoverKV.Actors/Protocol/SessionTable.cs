using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>
/// R9: the answers that clients may still ask for again. Part of the replicated state: it changes only by applying
/// the log, so every replica has the same, and eviction follows from the log alone. Not thread-safe.
/// </summary>
/// <remarks>
/// A session is opened by an entry, and the entry's uid is its id, so that a late copy of a request can never revive
/// an evicted session (Ongaro, Consensus: Bridging Theory and Practice, §6.3).
/// </remarks>
public sealed class SessionTable
{
    /// <summary>The least recently used session is evicted beyond this many. Changing it changes the replicated
    /// state: all nodes must have the same.</summary>
    public const int MaxSessions = 10_000;

    /// <summary>A session that keeps more answers than this loses its oldest.</summary>
    public const int MaxAnswersPerSession = 4_096;

    /// <summary>A session whose answers take more bytes than this loses its oldest.</summary>
    public const long MaxBytesPerSession = 64L * 1024 * 1024;

    /// <summary>The least recently used sessions are evicted while all answers take more than this many bytes.</summary>
    public const long MaxBytes = 256L * 1024 * 1024;

    private readonly Dictionary<long, Session> _sessions = [];
    private readonly LinkedList<Session> _leastRecentFirst = new();
    private long _bytes;

    private sealed class Session(long id)
    {
        public long Id { get; } = id;
        public long LowWater { get; set; } = 1;
        public long Bytes { get; set; }
        public Dictionary<long, WriteAnswer> Answers { get; } = [];
        public LinkedListNode<Session> Node { get; set; } = null!;
    }

    /// <summary>How many sessions are open.</summary>
    public int Count => _sessions.Count;

    /// <summary>Opens a session whose id is the uid of the entry.</summary>
    public void Open(Uid uid)
    {
        var session = new Session(uid.Value);
        session.Node = _leastRecentFirst.AddLast(session);
        _sessions.Add(session.Id, session);
        Evict();
    }

    /// <summary>
    /// The answer that settles a request without executing it: its first answer, or that its session is unknown or
    /// its number expired. Null if it must be executed now.
    /// </summary>
    public WriteAnswer? Settled(WriteRequest request)
    {
        if (!_sessions.TryGetValue(request.Session, out var session)) return Refusal(request, WriteStatus.SessionUnknown);
        _leastRecentFirst.Remove(session.Node);
        _leastRecentFirst.AddLast(session.Node);
        RaiseLowWater(session, request.LowWater);
        if (request.Number < session.LowWater) return Refusal(request, WriteStatus.Expired);
        return session.Answers.GetValueOrDefault(request.Number);
    }

    /// <summary>Keeps the answer of a request that was executed.</summary>
    public void Keep(WriteAnswer answer)
    {
        var session = _sessions[answer.Session];
        session.Answers.Add(answer.Number, answer);
        _bytes += Size(answer);
        session.Bytes += Size(answer);
        while (session.Answers.Count > MaxAnswersPerSession || (session.Bytes > MaxBytesPerSession && session.Answers.Count > 1))
            RaiseLowWater(session, session.LowWater + 1);
        Evict();
    }

    private static WriteAnswer Refusal(WriteRequest request, WriteStatus status) =>
        new(request.Session, request.Number, status, 0, []);

    private static long Size(WriteAnswer answer)
    {
        long size = 96;
        foreach (var version in answer.Previous) size += 16 + (version?.Value.Length ?? 0);
        return size;
    }

    private void RaiseLowWater(Session session, long lowWater)
    {
        if (lowWater <= session.LowWater) return;
        if (lowWater - session.LowWater <= session.Answers.Count)
        {
            for (var number = session.LowWater; number < lowWater; number++) Forget(session, number);
        }
        else
        {
            foreach (var number in session.Answers.Keys.Where(n => n < lowWater).ToArray()) Forget(session, number);
        }

        session.LowWater = lowWater;
    }

    private void Forget(Session session, long number)
    {
        if (!session.Answers.Remove(number, out var answer)) return;
        _bytes -= Size(answer);
        session.Bytes -= Size(answer);
    }

    private void Evict()
    {
        // The session in use is the last of the list and stays.
        while (_sessions.Count > MaxSessions || (_bytes > MaxBytes && _sessions.Count > 1))
        {
            var oldest = _leastRecentFirst.First!.Value;
            _leastRecentFirst.RemoveFirst();
            _sessions.Remove(oldest.Id);
            _bytes -= oldest.Bytes;
        }
    }
}
