using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation.Cluster;

/// <summary>
/// The one order of committed writes, as the first replica tells it, and what it means: a second, plain
/// implementation of keys and sessions (R9) that every answer is compared with.
/// </summary>
internal sealed class CommittedLog(SessionLimits limits, int padding)
{
    /// <summary>How a request ended when it was first executed.</summary>
    /// <param name="Status">Whether its conditions held.</param>
    /// <param name="Uid">The entry that did it.</param>
    /// <param name="Previous">What its keys had before.</param>
    /// <param name="IsPreviousKept">Whether that can be told again.</param>
    public sealed record Result(
        WriteStatus Status, long Uid, IReadOnlyList<(long Uid, long Value)> Previous, bool IsPreviousKept);

    private readonly record struct KeyState(long Uid, bool Exists, long VersionUid, long Value);

    private sealed class Session
    {
        public long LowWater;
        public bool IsEvicted;

        /// <summary>Of all that was ever executed.</summary>
        public readonly Dictionary<long, Result> Results = [];

        /// <summary>The answers that are kept, with their sizes.</summary>
        public readonly SortedDictionary<long, long> Kept = [];

        public void ForgetLowest(long lowWater)
        {
            LowWater = Math.Max(LowWater, lowWater);
            Kept.Remove(Kept.Keys.First());
        }
    }

    private readonly List<JournalImage.Entry> _entries = [];
    private readonly List<Epoch> _epochs = [];
    private readonly Dictionary<int, List<KeyState>> _keys = [];
    private readonly Dictionary<long, Session> _sessions = [];

    /// <summary>Those that are not evicted, the least recently used one first.</summary>
    private readonly List<Session> _recent = [];

    public long Top => _entries.Count;

    /// <summary>The number of keys that exist now.</summary>
    public int KeyCount => _keys.Values.Count(k => k[^1].Exists);

    /// <summary>The first so many.</summary>
    public IReadOnlyList<JournalImage.Entry> First(long count) => _entries.GetRange(0, (int)count);

    public JournalImage.Entry At(long uid) => _entries[(int)uid - 1];

    /// <summary>The epoch of the view in which it was first known that this uid is committed.</summary>
    public Epoch CommittedIn(long uid) => _epochs[(int)uid - 1];

    /// <summary>The next committed entry, as it is known in the view of this epoch.</summary>
    public void Add(JournalImage.Entry entry, Epoch epoch)
    {
        _entries.Add(entry);
        _epochs.Add(epoch);
        Execute(entry.Request, Top);
    }

    /// <summary>What a numbered request came to; null if it was not executed.</summary>
    public Result? ResultOf(long session, long number) =>
        _sessions.TryGetValue(session, out var found) ? found.Results.GetValueOrDefault(number) : null;

    /// <summary>How many sessions there are now.</summary>
    public int SessionCount => _recent.Count;

    /// <summary>The size of all answers that are kept.</summary>
    public long SessionBytes => _recent.Sum(s => s.Kept.Values.Sum());

    /// <summary>Whether the session was never opened, or was evicted.</summary>
    public bool IsUnknown(long session) => !_sessions.TryGetValue(session, out var found) || found.IsEvicted;

    /// <summary>Whether the session answers nothing any more under this number.</summary>
    public bool HasExpired(long session, long number) =>
        _sessions.TryGetValue(session, out var found) && number < found.LowWater;

    /// <summary>The version of the key at this point of the order: (0, 0) if absent.</summary>
    public (long Uid, long Value) VersionAt(int key, long uid)
    {
        var state = StateAt(key, uid, out _);
        return state.Exists ? (state.VersionUid, state.Value) : (0, 0);
    }

    /// <summary>The first point of the order, not before <paramref name="floor"/>, at which these keys had exactly
    /// these versions; null if there is none.</summary>
    public long? FirstPoint(IReadOnlyList<(int Key, long Uid, long Value)> versions, long floor)
    {
        var point = floor;
        for (var index = 0; index < versions.Count; index++)
        {
            var (key, uid, value) = versions[index];
            while (VersionAt(key, point) != (uid, value))
            {
                StateAt(key, point, out var next);
                if (next is null) return null;
                point = next.Value;
                index = -1; // the keys before must hold at the new point, too
            }
        }

        return point;
    }

    /// <summary>The uids of the executed writes that changed the key, with whether it existed after.</summary>
    public IEnumerable<(long Uid, bool Exists)> Changes(int key) =>
        _keys.TryGetValue(key, out var states) ? states.Select(s => (s.Uid, s.Exists)) : [];

    private KeyState StateAt(int key, long uid, out long? next)
    {
        next = null;
        if (!_keys.TryGetValue(key, out var states)) return default;
        int low = 0, high = states.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (states[middle].Uid <= uid) low = middle + 1;
            else high = middle;
        }

        if (low < states.Count) next = states[low].Uid;
        return low == 0 ? default : states[low - 1];
    }

    private void Execute(WriteRequest request, long uid)
    {
        if (request.Session == 0)
        {
            _recent.Add(_sessions[uid] = new Session());
            Evict();
            return;
        }

        if (IsUnknown(request.Session)) return;
        var session = _sessions[request.Session];
        _recent.Remove(session);
        _recent.Add(session);
        while (session.Kept.Count > 0 && session.Kept.Keys.First() < request.LowWater) session.ForgetLowest(0);
        session.LowWater = Math.Max(session.LowWater, request.LowWater);
        if (request.Number < session.LowWater || session.Kept.ContainsKey(request.Number)) return;
        var holds = true;
        var previous = new List<(long, long)>();
        foreach (var operation in request.Operations)
        {
            var version = VersionAt(Values.Index(operation.Key), uid);
            previous.Add(version);
            if (operation.ExpectedUid is { } expected && expected != version.Uid) holds = false;
        }

        var bytes = request.ReturnPrevious ? previous.Sum(BytesOf) : 0;
        var isKept = bytes <= limits.PreviousBytes;
        session.Results.Add(request.Number,
            new Result(holds ? WriteStatus.Done : WriteStatus.ConditionFailed, uid, previous, isKept));
        session.Kept.Add(request.Number, SessionTable.AnswerBytes + (isKept ? bytes : 0));
        if (session.Kept.Count > limits.AnswersPerSession) session.ForgetLowest(session.Kept.Keys.First() + 1);
        Evict();
        if (!holds) return;
        foreach (var operation in request.Operations)
        {
            var key = Values.Index(operation.Key);
            if (operation.Kind == OperationKind.Put)
                Change(key, new KeyState(uid, true, uid, Values.Id(operation.Value)));
            else if (operation.Kind == OperationKind.Delete && VersionAt(key, uid) != (0, 0))
                Change(key, new KeyState(uid, false, 0, 0));
        }
    }

    private long BytesOf((long Uid, long Value) version) =>
        SessionTable.VersionBytes + (version.Uid > 0 ? Values.Length(version.Value, padding) : 0);

    private void Evict()
    {
        while (_recent.Count > limits.Sessions || (SessionBytes > limits.Bytes && _recent.Count > 1))
        {
            _recent[0].IsEvicted = true;
            _recent.RemoveAt(0);
        }
    }

    private void Change(int key, KeyState state)
    {
        if (!_keys.TryGetValue(key, out var states)) _keys[key] = states = [];
        states.Add(state);
    }
}
