using System.Globalization;
using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

// R10 State: a replica that lacks entries which no log has any more takes the state instead, as a peer's checkpoint has
// it, part by part. It is written beside the own checkpoint, and takes its place when all of it is there and is what
// the peer said it is. Equal uids are equal states: so the parts may come from several peers.
public sealed partial class ReplicaCore
{
    // How many times a fetch may take before a peer counts as gone. Who has sent parts may start anew meanwhile.
    private const int FirstPartPatience = 10;
    private const int PartPatience = 30;

    // How long the giver keeps its checkpoint, and so its log behind it, after it was last asked: a large state takes
    // its time to be put in place, and is of no use if the log behind it is gone by then.
    private const int GiverPatience = 300;

    // A disk that cannot take it is not tried again and again.
    private const int LongestPause = 600;

    private Transfer? _transfer;

    // What was taken of a state that is not all there.
    private TakenState? _taken;
    private TimeSpan _donatedAt = Never;
    private TimeSpan _backupAt = Never;
    private TimeSpan _transferNotBefore = Never;
    private int _transferPause = PartPatience;

    // Who has said lately that the log lacks what this replica lacks, with the uid of its checkpoint.
    private readonly Dictionary<NodeId, (Uid Checkpoint, TimeSpan At)> _compacted = [];

    /// <summary>A state on its way to this replica.</summary>
    private sealed class Transfer
    {
        public required NodeId Donor { get; init; }
        public required Uid At { get; init; }
        public required TimeSpan BegunAt { get; init; }
        public required long KeysAtBegin { get; init; }

        /// <summary>How far it is written.</summary>
        public StateCursor? After { get; set; }
        public long Keys { get; set; }
        public long Bytes { get; set; }
        public StateTotals? Totals { get; set; }

        // The request that was not answered yet, 0 if there is none; behind what it asks; when it was sent, and how
        // long an answer may take; and since when nothing came.
        public long Id { get; set; }
        public StateCursor? AskedAfter { get; set; }
        public TimeSpan SentAt { get; set; }
        public TimeSpan Wait { get; set; }
        public TimeSpan SilentSince { get; set; }

        /// <summary>The part that is being written.</summary>
        public StateChunk? Writing { get; set; }

        /// <summary>The next one, if it has come meanwhile.</summary>
        public StateChunk? Ahead { get; set; }

        public bool IsComplete { get; set; }

        /// <summary>Once the part is written that is being written: else nobody knew how far it has come.</summary>
        public bool IsGivenUp { get; set; }

        public string Progress(TimeSpan now)
        {
            var text = $"it takes the state at uid {At} from {Donor}";
            if (Totals is not { } totals) return text;
            var share = totals.Keys == 0 ? 1 : (double)Keys / totals.Keys;
            text += string.Create(
                CultureInfo.InvariantCulture,
                $": {Keys} of {totals.Keys} keys, {(int)(100 * share)} %, {Bytes / 1e6:0.0} MB");
            var (took, came) = (now - BegunAt, Keys - KeysAtBegin);
            return came == 0 ? text
                : text + string.Create(
                    CultureInfo.InvariantCulture,
                    $", {Math.Max(0, totals.Keys - Keys) * took.TotalSeconds / came:0} s left");
        }
    }

    /// <summary>R10: whether a state is on its way to this replica: a checkpoint of the own one would be of no
    /// use.</summary>
    internal bool TakesState => _transfer != null;

    /// <summary>R10: whether a peer takes this replica's checkpoint, or did until just now: a new one would end
    /// that.</summary>
    internal bool GivesState(TimeSpan now) =>
        now - _donatedAt < GiverPatience * _options.FetchTimeout
        || now - _backupAt < PartPatience * _options.FetchTimeout;

    /// <summary>R10: the uid of the checkpoint on the disk.</summary>
    internal Uid CheckpointUid => _saved.Applied;

    /// <summary>R10: a client takes this replica's checkpoint, for a backup; or has all of it.</summary>
    internal void GivesBackup(TimeSpan now, bool more) => _backupAt = more ? now : Never;

    /// <summary>Before <see cref="Start"/>: what an earlier run has taken of a peer's state.</summary>
    internal void ResumeTransfer(TakenState taken) => _taken = taken;

    private void OnFetchState(MemberId from, FetchState message)
    {
        if (message.At != _saved.Applied)
        {
            Send(from.Node, new StatePage(message.Epoch, message.Id, null));
            return;
        }

        _donatedAt = _now;
        Effects.Add(new Effect.ServeState(from.Node, message));
    }

    private void OnCompacted(MemberId from, Compacted message)
    {
        if (_fetches.TryGetValue(message.Id, out var fetch) && fetch.Peer == from.Node) _fetches.Remove(message.Id);
        else if (!_late.Any(l => l.Id == message.Id && l.Peer == from.Node)) return;
        _compacted[from.Node] = (message.Checkpoint, _now);
        _peerFailedAt[from.Node] = _now;
        Heal();
    }

    // Only when nobody has the entries: every peer said so lately, or does not answer. What is taken is committed, as
    // the view, or the candidate, has told.
    private bool TakesStateInstead(NodeId[] peers, Uid target)
    {
        var said = peers
            .Where(p => _compacted.TryGetValue(p, out var c) && _now - c.At <= 2 * _options.FetchTimeout).ToArray();
        if (said.Length == 0 || !peers.All(p => said.Contains(p) || HasFailed(p))) return false;
        if (_now < _transferNotBefore) return true;
        var givers = said
            .Where(p => _compacted[p].Checkpoint > _state.Applied && _compacted[p].Checkpoint <= target).ToArray();
        if (givers.Length == 0) return true;
        var giver = givers.FirstOrDefault(
            p => _compacted[p].Checkpoint == _taken?.At, givers.MaxBy(p => _compacted[p].Checkpoint));
        Begin(giver, _compacted[giver].Checkpoint);
        return true;
    }

    private void Begin(NodeId giver, Uid at)
    {
        ForgetFetches();
        _compacted.Clear();
        var taken = _taken?.At == at ? _taken : null;
        _transfer = new Transfer
        {
            Donor = giver,
            At = at,
            BegunAt = _now,
            SilentSince = _now,
            After = taken?.After,
            Keys = taken?.Keys ?? 0,
            Bytes = taken?.Bytes ?? 0,
            KeysAtBegin = taken?.Keys ?? 0,
        };
        Notice($"{_self} lacks uid {_log.Held.Contiguous.Next}, which is in no log any more, and takes the state "
            + $"at uid {at} from {giver}{(taken is null ? "" : ", where it had stopped before")}");
        AskBehind(_transfer, _transfer.After);
    }

    // Until an answer has come, which may take longer than expected, it is asked for under the same id.
    private void AskBehind(Transfer transfer, StateCursor? after)
    {
        (transfer.Id, transfer.AskedAfter, transfer.Wait) = (++_fetchId, after, _options.FetchTimeout);
        Ask(transfer);
    }

    private void Ask(Transfer transfer)
    {
        transfer.SentAt = _now;
        Send(transfer.Donor, new FetchState(_promised.Epoch, transfer.Id, transfer.At, transfer.AskedAfter));
    }

    // One part is written while the next one is on its way.
    private void OnStatePage(MemberId from, StatePage message)
    {
        if (_transfer is not { IsGivenUp: false, Id: > 0 } transfer) return;
        if (message.Id != transfer.Id || from.Node != transfer.Donor) return;
        _reachedAt = transfer.SilentSince = _now;
        transfer.Id = 0;
        if (message.Chunk is not { } chunk)
        {
            Notice($"{_self}: {from.Node} has no checkpoint of uid {transfer.At} any more");
            GiveUpTransfer();
            return;
        }

        if (transfer.Writing is null) Take(transfer, chunk);
        else transfer.Ahead = chunk;
    }

    private void Take(Transfer transfer, StateChunk chunk)
    {
        (transfer.Writing, transfer.Totals) = (chunk, chunk.Totals);
        Effects.Add(new Effect.TakeState(transfer.At, transfer.After is null, chunk));
        if (chunk.Next is not null) AskBehind(transfer, chunk.Next);
    }

    /// <summary>The part of a peer's state was written, or could not be; or all parts together are not what was
    /// promised.</summary>
    internal void StateTaken(TimeSpan now, bool isWritten)
    {
        if (_stopped || _transfer is not { Writing: { } chunk } transfer) return;
        _now = now;
        transfer.Writing = null;
        if (transfer.IsGivenUp) _transfer = null;
        if (!isWritten)
        {
            (_transfer, _taken, _transferNotBefore) = (null, null, _now + _transferPause * _options.FetchTimeout);
            _transferPause = Math.Min(2 * _transferPause, LongestPause);
            return;
        }

        transfer.SilentSince = _now;
        transfer.Keys += chunk.Part.Keys.Count;
        transfer.Bytes += chunk.Part.Bytes;
        if (chunk.Next is null)
        {
            if (!transfer.IsGivenUp) Install(transfer);
        }
        else
        {
            transfer.After = chunk.Next;
            _taken = new TakenState(transfer.At, chunk.Next, transfer.Keys, transfer.Bytes);
            if (!transfer.IsGivenUp && transfer.Ahead is { } ahead)
            {
                transfer.Ahead = null;
                Take(transfer, ahead);
            }
        }

        Settle();
    }

    private void TransferTick()
    {
        if (_transfer is null && _taken is { } taken && _log.Durable.Contiguous >= taken.At)
        {
            _taken = null;
            Effects.Add(new Effect.DropState());
        }

        if (_transfer is not { IsComplete: false, IsGivenUp: false } transfer) return;
        var patience = transfer.AskedAfter is null ? FirstPartPatience : PartPatience;
        if (_log.Durable.Contiguous >= transfer.At) GiveUpTransfer();
        // All that has come waits for the disk.
        else if (transfer.Id == 0) return;
        else if (_now - transfer.SilentSince > patience * _options.FetchTimeout)
        {
            _peerFailedAt[transfer.Donor] = _now;
            GiveUpTransfer();
        }
        else if (_now - transfer.SentAt > transfer.Wait)
        {
            transfer.Wait *= 2;
            Ask(transfer);
        }
    }

    // What was taken is kept: it may go on.
    private void GiveUpTransfer()
    {
        if (_transfer is not { IsComplete: false } transfer) return;
        if (transfer.Writing is null) _transfer = null;
        else transfer.IsGivenUp = true;
    }

    // From now on the state is what was taken; of the own log what is beyond it stays. Nothing is said in the name of
    // what is installed before the replica starts with it.
    private void Install(Transfer transfer)
    {
        transfer.IsComplete = true;
        var (at, none) = (transfer.At, _facts + 1);
        var from = new LogBase(
            at, _facts, Mutated(Mutations.TransferWithoutTail) ? none : _log.FirstFactAbove(at, none),
            at, [], _promised, _view, Uid.Max(_knownCommitted, at), Uid.Max(_rightTo, at), at, _toldByView);
        // As with an own checkpoint: the facts that it has seen must be in the journal.
        WhenDurable(() =>
        {
            if (_stopped || _lost != null) return;
            _stopped = true;
            StepDown();
            RefuseBlockedReads();
            Effects.Add(new Effect.InstallState(from, transfer.Totals!));
        });
    }
}
