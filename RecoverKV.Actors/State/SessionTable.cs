using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.State;

/// <summary>
/// R9: the answers that clients may still ask for again. Part of the replicated state: it changes only by applying
/// the log, so every replica has the same, and eviction follows from the log alone. Whatever numbers clients choose,
/// its work and memory are bounded by the answers that it keeps. Not thread-safe.
/// </summary>
/// <remarks>
/// A session is opened by an entry, and the entry's uid is its id, so that a late copy of a request can never revive
/// an evicted session (Ongaro, Consensus: Bridging Theory and Practice, §6.3).
/// </remarks>
public sealed class SessionTable
{
    /// <summary>Roughly what an answer takes in memory, without the versions before the write.</summary>
    internal const long AnswerBytes = 96;

    /// <summary>Roughly what a version takes in memory, without its value.</summary>
    internal const long VersionBytes = 16;

    private readonly SessionLimits _limits;
    private readonly Dictionary<long, Session> _sessions = [];
    private readonly LinkedList<Session> _leastRecentFirst = new();
    private readonly ChangedSessions _changed;

    internal SessionTable(SessionLimits limits, int mostEnded) =>
        (_limits, _changed) = (limits, new ChangedSessions(mostEnded));

    /// <summary>How many sessions are open.</summary>
    public int Count => _sessions.Count;

    /// <summary>Roughly what all kept answers take in memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>Opens a session whose id is the uid of the entry.</summary>
    public void Open(Uid uid)
    {
        var session = new Session(uid.Value) { Used = uid.Value };
        session.Node = _leastRecentFirst.AddLast(session);
        _sessions.Add(session.Id, session);
        _changed.Changing(session);
        Evict();
    }

    /// <summary>The answer to a request that was executed, if it is still kept. Changes nothing.</summary>
    public WriteAnswer? Find(WriteRequest request) =>
        _sessions.TryGetValue(request.Session, out var session) ? Find(session, request) : null;

    /// <summary>
    /// The answer that settles a request without executing it: its first answer, or that its session is unknown or
    /// its number expired. Null if it must be executed now.
    /// </summary>
    /// <param name="uid">Where the request is in the log.</param>
    /// <param name="request">The request.</param>
    public WriteAnswer? Settled(Uid uid, WriteRequest request)
    {
        if (!_sessions.TryGetValue(request.Session, out var session))
            return Refusal(request, WriteStatus.SessionUnknown);
        _changed.Changing(session);
        session.Used = uid.Value;
        _leastRecentFirst.Remove(session.Node);
        _leastRecentFirst.AddLast(session.Node);
        while (session.Answers.Count > 0 && session.Answers.Lowest.Number < request.LowWater) ForgetLowest(session);
        session.LowWater = Math.Max(session.LowWater, request.LowWater);
        if (request.Number < session.LowWater) return Refusal(request, WriteStatus.Expired);
        return Find(session, request);
    }

    /// <summary>Keeps the answer of a request that was executed: its own bytes, and of the versions before the write no
    /// more than a little.</summary>
    public void Keep(WriteAnswer answer)
    {
        var session = _sessions[answer.Session];
        _changed.Changing(session);
        var kept = Kept(answer);
        session.Answers.Add(kept);
        Bytes += Size(kept);
        session.Bytes += Size(kept);
        while (session.Answers.Count > _limits.AnswersPerSession)
        {
            // Not the only one, hence not the highest number that there is.
            session.LowWater = Math.Max(session.LowWater, session.Answers.Lowest.Number + 1);
            ForgetLowest(session);
        }

        Evict();
    }

    /// <summary>R10: which sessions a checkpoint must have.</summary>
    internal ChangedSessions Changed => _changed;

    /// <summary>R10: all sessions, the least recently used one first.</summary>
    internal IEnumerable<Session> All => _leastRecentFirst;

    /// <summary>R10: puts a session of a checkpoint back, of all the one that was used last.</summary>
    internal void Restore(SessionRecord record)
    {
        var session = new Session(record.Id) { Used = record.Used, LowWater = record.LowWater };
        foreach (var answer in record.Answers)
        {
            session.Answers.Add(answer);
            session.Bytes += Size(answer);
        }

        Bytes += session.Bytes;
        session.Node = _leastRecentFirst.AddLast(session);
        _sessions.Add(session.Id, session);
    }

    private static WriteAnswer Refusal(WriteRequest request, WriteStatus status) =>
        new(request.Session, request.Number, status, 0, []);

    private static WriteAnswer? Find(Session session, WriteRequest request)
    {
        var answer = session.Answers.Find(request.Number);
        return answer != null && request.ReturnPrevious && answer.Previous.Count == 0
            ? answer with { PreviousOmitted = true }
            : answer;
    }

    /// <summary>Roughly what a kept answer takes in memory.</summary>
    internal static long Size(WriteAnswer answer) => AnswerBytes + SizeOfPrevious(answer);

    private static long SizeOfPrevious(WriteAnswer answer)
    {
        long size = 0;
        foreach (var version in answer.Previous) size += VersionBytes + (version?.Value.Length ?? 0);
        return size;
    }

    private WriteAnswer Kept(WriteAnswer answer)
    {
        if (answer.Previous.Count == 0) return answer;
        if (SizeOfPrevious(answer) > _limits.PreviousBytes) return answer with { Previous = [] };
        // A slice would keep all around it too.
        return answer with
        {
            Previous = [.. answer.Previous.Select(v => v is null ? null : v with { Value = v.Value.ToArray() })],
        };
    }

    private void ForgetLowest(Session session)
    {
        var size = Size(session.Answers.Lowest);
        session.Answers.RemoveLowest();
        Bytes -= size;
        session.Bytes -= size;
    }

    private void Evict()
    {
        // The session in use is the last of the list and stays.
        while (_sessions.Count > _limits.Sessions || (Bytes > _limits.Bytes && _sessions.Count > 1))
        {
            var oldest = _leastRecentFirst.First!.Value;
            _changed.Ending(oldest);
            _leastRecentFirst.RemoveFirst();
            _sessions.Remove(oldest.Id);
            Bytes -= oldest.Bytes;
        }
    }
}
