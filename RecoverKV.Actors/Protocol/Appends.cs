using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

// R3 Append: the sequencer numbers requests and sends them in batches; replicas journal them and acknowledge what is on
// disk. Answers wait for R4.
public sealed partial class ReplicaCore
{
    // The requests that wait to be numbered or committed, and the clients that wait for their answers, by the request's
    // own identity (R9): whatever entry carries it to commit, its answer finds them. Kept while this node leads or
    // campaigns to lead on.
    private readonly Dictionary<(long Session, long Number), Waiter> _waiters = [];
    private long _waiterBytes;
    private long _waiterRoom;

    /// <summary>What a sequencer knows of another replica, or of its own.</summary>
    private sealed class Follower(MemberId member)
    {
        public MemberId Member { get; } = member;
        public Uid Contiguous { get; set; }
        public Uid Highest { get; set; }
        public TimeSpan HeardAt { get; set; }
        public TimeSpan ProgressAt { get; set; }
        public TimeSpan ResentAt { get; set; }

        // How often in a row, without progress.
        public int Resent { get; set; }

        // R5: clock readings that are not echoed yet; the last echo; and until when a lease from it may last here.
        public Queue<(long Run, TimeSpan Clock, TimeSpan ReceivedAt)> Readings { get; } = new();
        public long EchoRun { get; set; }
        public TimeSpan EchoClock { get; set; }
        public TimeSpan? GrantedAt { get; set; }
        public long Run { get; set; }

        // Runs that the present one followed in this tenure.
        public HashSet<long> EarlierRuns { get; } = [];

        // The latest round that it acknowledged.
        public long Round { get; set; }
        public bool Left { get; set; }
        public bool CutOff { get; set; }

        // R8: how it keeps pace with a majority, its wait that is not over, and what it says of its own ticks, in
        // percent.
        public Lateness Lateness { get; } = new();
        public TimeSpan Waits { get; set; }
        public Uid MeasuredAt { get; set; }
        public int TicksLate { get; set; }

        // What it has no room in.
        public Lack Lacks { get; set; }
    }

    /// <summary>The sequencer's state, from the activation of its view on.</summary>
    private sealed class Leading
    {
        public required View View { get; init; }
        public required TimeSpan ActiveAt { get; init; }

        /// <summary>R8: nothing commits before the last lease of a dropped member must have ended.</summary>
        public required TimeSpan OpensAt { get; init; }
        public required Uid NextUid { get; set; }
        public Dictionary<MemberId, Follower> Followers { get; } = [];
        public Queue<(Uid Last, long Bytes)> InFlight { get; } = new();
        public long FlightBytes { get; set; }
        public Queue<WriteRequest> Waiting { get; } = new();
        public long WaitingBytes { get; set; }
        public long Round { get; set; }
        public TimeSpan RoundAt { get; set; }
        public Dictionary<long, HeartbeatRound> Rounds { get; } = [];
        public TimeSpan QuorumAt { get; set; }

        /// <summary>R11: the data at the committed uids of the last rounds, and who has said what his is; and what most
        /// have, where somebody's differs.</summary>
        public Queue<Comparison> Comparisons { get; } = new();
        public DataMark Agreed { get; set; }
        public StateSlice? Compared { get; set; }

        /// <summary>Whose disks keep writes from being committed; null if nobody's.</summary>
        public string? Blocked { get; set; }
    }

    // Without a caller: an earlier tenure's entry carries the request, and nobody has asked this node for its answer.
    private readonly record struct Waiter(ICaller? Caller, WriteRequest Request);

    /// <summary>R3, R9: writes of a client, in the order of its calls. Every one is answered, at some time, unless this
    /// replica stops.</summary>
    public void Submit(TimeSpan now, ICaller caller, IReadOnlyList<WriteRequest> requests)
    {
        if (_stopped) return;
        _now = now;
        foreach (var request in requests)
        {
            var invalid = _state.Check(request);
            if (invalid != null) AnswerWrite(caller, request, WriteStatus.Invalid, invalid);
            else if (!LeadsOn || _leavingSince != null) AnswerWrite(caller, request, WriteStatus.NotSequencer);
            else if (_leading != null && _state.Sessions.Find(request) is { } answer)
                // A retry of what is done. It is not logged again, and hence no use of its session.
                Effects.Add(new Effect.AnswerWrite(caller, answer));
            else if (_waiters.TryGetValue((request.Session, request.Number), out var waiter))
                // A retry of a request that is under way only changes who gets the answer.
                HandOver(waiter, caller);
            else if (Full(_state.RoomFor(request)) is { } full) AnswerWrite(caller, request, WriteStatus.Full, full);
            else if (Blocked is { } why) AnswerWrite(caller, request, WriteStatus.Busy, why);
            else if (IsBusy || HasItsShare(caller.Share)) AnswerWrite(caller, request, WriteStatus.Busy);
            else
            {
                AddWaiter(caller, request);
                if (_leading != null) Enqueue(_leading, request);
            }
        }

        if (_leading != null) Number(_leading);
        Settle();
    }

    // This node leads, or campaigns to lead on: what waits is numbered once the next view is active.
    private bool LeadsOn => _leading != null || _campaign?.Former != null;

    // Also while no view is active in which they could be numbered.
    private bool IsBusy =>
        _waiters.Count >= 2 * _options.WaitingRequests || _waiterBytes > 2 * _options.WaitingBytes
        || (_leading is { } leading
            && (leading.Waiting.Count >= _options.WaitingRequests || leading.WaitingBytes > _options.WaitingBytes));

    private bool HasItsShare(Share share) =>
        share.Writes >= Share.Of(_options.WaitingRequests) || share.WriteBytes > Share.Of(_options.WaitingBytes);

    private void AddWaiter(ICaller? caller, WriteRequest request)
    {
        if (!_waiters.TryAdd((request.Session, request.Number), new Waiter(caller, request))) return;
        _waiterBytes += request.Encoded.Length;
        _waiterRoom += _state.RoomFor(request);
        Count(caller, request, 1);
    }

    private ICaller? RemoveWaiter(WriteRequest request)
    {
        if (!_waiters.Remove((request.Session, request.Number), out var waiter)) return null;
        _waiterBytes -= waiter.Request.Encoded.Length;
        _waiterRoom -= _state.RoomFor(waiter.Request);
        Count(waiter.Caller, waiter.Request, -1);
        return waiter.Caller;
    }

    private void HandOver(Waiter waiter, ICaller to)
    {
        Count(waiter.Caller, waiter.Request, -1);
        Count(to, waiter.Request, 1);
        _waiters[(waiter.Request.Session, waiter.Request.Number)] = waiter with { Caller = to };
    }

    private static void Count(ICaller? caller, WriteRequest request, int sign)
    {
        if (caller is null) return;
        caller.Share.Writes += sign;
        caller.Share.WriteBytes += sign * request.Encoded.Length;
    }

    private static void Enqueue(Leading leading, WriteRequest request)
    {
        leading.Waiting.Enqueue(request);
        leading.WaitingBytes += request.Encoded.Length;
    }

    private void AnswerWrite(ICaller caller, WriteRequest request, WriteStatus status, string? text = null) =>
        Effects.Add(new Effect.AnswerWrite(
            caller, new WriteAnswer(request.Session, request.Number, status, 0, [], text)));

    // Whether another batch may go now: at once while none is under way, else when it has at least half as many
    // requests as those. So batches grow with the load, each costs every replica a disk write, and without load nothing
    // waits.
    private bool MayNumber(Leading leading)
    {
        var waiting = leading.Waiting.Count;
        if (waiting == 0 || leading.InFlight.Count >= _options.BatchesInFlight) return false;
        var next = Math.Max(leading.Waiting.Peek().Encoded.Length, Math.Min(leading.WaitingBytes, _options.BatchBytes));
        if (leading.InFlight.Count > 0
            && leading.FlightBytes + next > (long)_options.BatchBytes * _options.BatchesInFlight)
            return false;
        var underWay = leading.NextUid.Previous - _knownCommitted;
        return leading.InFlight.Count == 0 || 2L * waiting >= underWay
            || waiting >= _options.BatchRequests || leading.WaitingBytes >= _options.BatchBytes;
    }

    private void Number(Leading leading)
    {
        while (MayNumber(leading))
        {
            var requests = new List<WriteRequest>(Math.Min(leading.Waiting.Count, _options.BatchRequests));
            long bytes = 0, before = leading.FlightBytes;
            while (requests.Count < _options.BatchRequests && leading.Waiting.TryPeek(out var next))
            {
                bytes += next.Encoded.Length;
                if (requests.Count > 0 && bytes > _options.BatchBytes) break;
                requests.Add(leading.Waiting.Dequeue());
                leading.WaitingBytes -= next.Encoded.Length;
                leading.FlightBytes += next.Encoded.Length;
            }

            var batch = new Batch(_view.Epoch, leading.NextUid, requests);
            foreach (var follower in leading.Followers.Values)
                if (follower.Contiguous >= leading.NextUid.Previous) follower.ProgressAt = _now;
            leading.NextUid = batch.Last.Next;
            leading.InFlight.Enqueue((batch.Last, leading.FlightBytes - before));
            _log.Append(batch, Journal(new EntriesAppended(batch, _knownCommitted)));
            var append = new Append(_view.Epoch, batch, _knownCommitted);
            foreach (var follower in leading.Followers.Values)
                if (follower.Member != _self && (!follower.Left || _view.IsInSync(follower.Member)))
                    Send(follower.Member.Node, append);
        }
    }

    private void OnAppend(Append message)
    {
        if (HasRoomFor(message.Batch)) AppendLacking(message.Batch);
        LearnCommitted(message.Committed);
        Acknowledge();
    }

    // A replica that is far behind, or whose disk is, lets the tail pass: it is healed in order. An in-sync member
    // takes everything: nothing commits without it, which bounds what is sent to it.
    private bool HasRoomFor(Batch batch) =>
        _view.IsInSync(_self)
        || (batch.First - _log.Held.Contiguous < TailWindow && _facts - _persisted < UnsyncedFacts
            && _log.BytesInMemory < _options.LogBytesInMemory + TailBytes);

    private const long TailWindow = 64 * 1024;
    private const long TailBytes = 256L * 1024 * 1024;

    // Appends what is not held yet, each run of uids as one fact.
    private bool AppendLacking(Batch batch, Func<Uid, bool>? take = null)
    {
        var any = false;
        foreach (var part in _log.Lacking(batch, take))
        {
            _log.Append(part, Journal(new EntriesAppended(part, _knownCommitted)));
            any = true;
        }

        return any;
    }

    // What this replica may vouch for: on disk, without a gap, and part of the accepted view's log. Dropped entries
    // left the durable set when they were dropped, whether or not their drop is on disk.
    private Uid AcknowledgedUid =>
        Mutated(Mutations.AcknowledgeBeforeDurable) ? _log.Held.Contiguous
        : Mutated(Mutations.OrphanAcknowledged) && _persisted < _orphans.Fact ? _orphans.Contiguous
        : _log.Durable.Contiguous;

    private void Acknowledge()
    {
        var epoch = _view.Epoch;
        WhenDurable(() => Acknowledge(epoch));
    }

    // In the name of the view that took the entries only: a later one may not be on disk itself.
    private void Acknowledge(Epoch epoch)
    {
        if (_view.Epoch != epoch || _promised.Epoch != epoch || _leading != null) return;
        Send(_view.Sequencer, new Appended(_view.Epoch, AcknowledgedUid, _log.Durable.Highest));
    }

    private void OnAppended(MemberId from, Appended message)
    {
        if (_leading != null && message.Epoch == _view.Epoch)
            Acknowledged(_leading, from, message.Contiguous, message.Highest);
    }

    private void Acknowledged(Leading leading, MemberId from, Uid contiguous, Uid highest)
    {
        if (!leading.Followers.TryGetValue(from, out var follower))
        {
            // A disk that was made anew again and again: only its last incarnation may still come in.
            foreach (var older in leading.Followers.Keys
                .Where(m => m.Node == from.Node && !_view.HasMember(m)).ToArray())
                leading.Followers.Remove(older);
            leading.Followers.Add(from, follower = new Follower(from) { ProgressAt = _now });
        }

        follower.HeardAt = _now;
        if (contiguous > follower.Contiguous) (follower.ProgressAt, follower.Resent) = (_now, 0);
        follower.Contiguous = Uid.Max(follower.Contiguous, contiguous);
        follower.Highest = Uid.Max(follower.Highest, highest);
        AdvanceCommitted(leading);
    }

    private void SelfAppended(Leading leading) =>
        Acknowledged(leading, _self, AcknowledgedUid, _log.Durable.Highest);

    // Bytes per millisecond that a link carries at least; less is found out by doubling the patience.
    private const int LeastRate = 1024;
    private const int MostDoublings = 4;

    // Sends again what an in-sync member does not acknowledge. Beyond the committed uid nobody else may (R6).
    private void Resend(Leading leading, Follower follower)
    {
        var last = leading.NextUid.Previous;
        if (follower.Contiguous >= last) return;
        // What is only under way, over a thin link, is not sent once more: that would make it later still.
        var underWay = TimeSpan.FromMilliseconds((leading.FlightBytes << follower.Resent) / LeastRate);
        if (_now - follower.ResentAt < _options.ResendInterval + underWay) return;
        var hasGap = follower.Highest > follower.Contiguous;
        if (_now - follower.ProgressAt < (hasGap ? underWay : _options.ResendInterval + underWay)) return;
        follower.ResentAt = _now;
        follower.Resent = Math.Min(follower.Resent + 1, MostDoublings);
        var missing = new UidRange(follower.Contiguous.Next, last);
        if (missing.First < _log.MemoryFrom) return;
        foreach (var batch in _log.Read(missing, _options.FetchEntries, _options.FetchBytes))
            Send(follower.Member.Node, new Append(_view.Epoch, batch, _knownCommitted));
    }
}
