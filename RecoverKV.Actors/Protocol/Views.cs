namespace RecoverKV.Actors.Protocol;

// R2 View: bring a majority to exactly the donor's log, install the view, activate it.
public sealed partial class ReplicaCore
{
    // What a candidate asked this replica to reach; null when no election asks. Forgotten with the next promise.
    private Synchronize? _synchronization;

    // The last fact by then: orphans that it dropped are gone from the disk when this one is on it.
    private long _synchronizationFact;

    private void OnSynchronize(MemberId from, Synchronize message)
    {
        if (_promised.Epoch != message.Epoch || _promised.Candidate != from.Node) return;
        // A late duplicate of an epoch that is accepted must not touch the log any more.
        if (_view.Epoch >= message.Epoch && !Mutated(Mutations.LateSynchronization)) return;
        // It takes no part in another history, and drops nothing for it; the others go on without it.
        if (Contradicts(message.Base))
        {
            NoteOtherHistory(from, message.Base.Epoch);
            return;
        }

        if (_synchronization == null)
        {
            _synchronization = message;
            ForgetFetches();
            var orphans = FindOrphans((uid, epoch) => uid <= message.Target && IsIn(message.Base, uid, epoch));
            if (orphans.Length > 0)
            {
                Drop(orphans);
                Journal(new OrphansDropped(orphans));
            }

            // What comes for it now is no orphan of a later view.
            _rightTo = Uid.Max(_rightTo, message.Base.CommittedBefore);
            LearnCommitted(message.Base.CommittedBefore);

            _synchronizationFact = _facts;
        }

        if (Mutated(Mutations.OrphanAcknowledged)) SynchronizationProgressed();
        else WhenDurable(SynchronizationProgressed);
        Heal();
    }

    // Tells the candidate how far the log on disk has come, drops included.
    private void SynchronizationProgressed()
    {
        if (_synchronization is not { } goal || goal.Epoch != _promised.Epoch || _view.Epoch >= goal.Epoch) return;
        if (_persisted < _synchronizationFact && !Mutated(Mutations.OrphanAcknowledged)) return;
        Send(_promised.Candidate, new Synchronized(goal.Epoch, AcknowledgedUid));
    }

    private void OnSynchronized(MemberId from, Synchronized message)
    {
        if (_campaign is not { Base: not null, View: null } campaign || message.Epoch != campaign.Epoch) return;
        if (!campaign.Targets.Contains(from)) return;
        if (message.Contiguous > campaign.Synchronized.GetValueOrDefault(from) || message.Contiguous == campaign.Target)
            campaign.ProgressAt = _now;
        campaign.Synchronized[from] = message.Contiguous;
        EvaluateSynchronized(campaign);
    }

    private void EvaluateSynchronized(Campaign campaign)
    {
        var ready = campaign.Targets
            .Where(m => campaign.Synchronized.TryGetValue(m, out var uid) && uid == campaign.Target).ToArray();
        if (!IsMajority(ready.Length, Majority(campaign)) || !ready.Contains(_self)) return;
        // The others get a moment, so that one view takes all in.
        if (ready.Length < campaign.Targets.Length && _now - campaign.BaseAt < _options.ResendInterval) return;
        var first = campaign.Target.Next;
        var history = campaign.Base!.HistoryWith(campaign.Epoch, first, HeldByAll(campaign));
        campaign.View = new View
        {
            Epoch = campaign.Epoch,
            Sequencer = _self.Node,
            Members = campaign.Members,
            InSync = [.. ready.Select(m => m.Node)],
            FirstUid = first,
            History = history,
            TrimmedAt = history[0].FirstUid > campaign.Base.History.FirstOrDefault().FirstUid
                ? campaign.Base.Epoch
                : campaign.Base.TrimmedAt,
            Cluster = campaign.Base.Cluster != Guid.Empty ? campaign.Base.Cluster : _options.NewCluster,
            Lease = NextLease(campaign),
            FrameSize = Math.Max(campaign.Base.FrameSize, _options.FrameSize),
        };
        campaign.ProgressAt = campaign.SentAt = _now;
        foreach (var node in _options.Nodes) Send(node, new InstallView(campaign.View));
    }

    // Up to here every member has the right entries, committed (R7): no history is needed below. Only who led the view
    // before knows, from acknowledgements in its name.
    private Uid HeldByAll(Campaign campaign)
    {
        if (campaign.Former is not { } former || former.View.Epoch != campaign.Base!.Epoch) return Uid.Zero;
        var held = _state.Applied;
        if (Mutated(Mutations.HistoryTrimmedTooFar)) return held;
        foreach (var member in campaign.Members)
            held = Uid.Min(
                held, former.Followers.TryGetValue(member, out var follower) ? follower.Contiguous : Uid.Zero);
        return held;
    }

    // A shorter lease begins with an election, for which a majority has waited out the longer one: whoever leads on, or
    // was handed over to, may have to wait for leases of the view before.
    private TimeSpan NextLease(Campaign campaign)
    {
        var waited = campaign.Former == null && campaign.Handover == Epoch.Zero;
        return waited ? _options.Lease : Later(_options.Lease, LeaseOf(campaign.Base!));
    }

    private void OnInstallView(MemberId from, InstallView message)
    {
        var view = message.View;
        if (from.Node == view.Sequencer && Contradicts(view))
        {
            NoteOtherHistory(from, view.Epoch);
            Send(from.Node, new Refuse(view.Epoch, view.Epoch));
            return;
        }

        if (view.Epoch <= _view.Epoch)
        {
            // A late duplicate changes nothing; only the answer may have been lost.
            if (view.Epoch == _view.Epoch && from.Node == _view.Sequencer) AnswerAccepted();
            return;
        }

        if (from.Node != view.Sequencer) return;
        // Who promised this epoch to another candidate, in vain, is not in-sync but follows like anybody else.
        if (view.IsInSync(_self) && view.Epoch == _promised.Epoch && _promised.Candidate != from.Node) return;
        if (view.IsInSync(_self))
        {
            // It counts on this replica's promise and log, which were on disk when it was made.
            if (view.Epoch != _promised.Epoch || _log.Durable.Contiguous < view.FirstUid.Previous)
            {
                DoubtDisk($"{view} counts on a promise and a log that the disk no longer has");
                return;
            }
        }

        if (from != _self) StepDown();
        EndLease();
        _synchronization = null;
        ForgetFetches();
        var fact = Acceptance(view);
        Evolve(fact);
        ApplyCommitted();
        ExpectDurable();
        _viewFact = Journal(fact);
        _lastHeartbeat = _now;
        ResetElectionTimer();
        Notice($"{_self} accepts {view}{(view.IsInSync(_self) ? "" : ", not in-sync")}");
        AnswerAccepted();
    }

    private void AnswerAccepted()
    {
        var (epoch, sequencer) = (_view.Epoch, _view.Sequencer);
        WhenDurable(() =>
        {
            if (_promised.Epoch == epoch && _view.Epoch == epoch) Send(sequencer, new AcceptedView(epoch));
        });
    }

    private ViewAccepted Acceptance(View view) => new(
        view, FindOrphans((uid, epoch) => uid < view.FirstUid && IsIn(view, uid, epoch)),
        Uid.Max(_knownCommitted, view.CommittedBefore));

    // The change of state that a fact means, in live operation and in replay alike.
    private void Evolve(ViewAccepted fact)
    {
        _view = fact.View;
        _promised = new Promised(fact.View.Epoch, fact.View.Sequencer);
        KnowCommitted(fact.Committed);
        _toldByView = _knownCommitted;
        Drop(fact.Dropped);
        _rightTo = Uid.Max(_rightTo, fact.View.CommittedBefore);
    }

    private void OnViewWanted(MemberId from, ViewWanted message)
    {
        if (message.Epoch != _view.Epoch || _view.Epoch != _promised.Epoch) return;
        // Its sequencer, for who has missed it; its members, for who must start over (R11).
        if (_leading != null || _view.IsInSync(_self) && IsViewDurable) Send(from.Node, new InstallView(_view));
    }

    private void OnAcceptedView(MemberId from, AcceptedView message)
    {
        if (_campaign is not { View: { } view } campaign || message.Epoch != campaign.Epoch) return;
        campaign.Accepted.Add(from);
        campaign.ProgressAt = _now;
        if (_view.Epoch != campaign.Epoch) return;
        foreach (var member in view.Members)
            if (view.IsInSync(member) && !campaign.Accepted.Contains(member)) return;
        // When an incarnation is replaced, majorities of the old and the new members need not meet: then a majority of
        // the old ones must know the new view too, so that no later election can be held among the old members alone.
        var old = campaign.Base!.Members;
        if (old.Length > 0 && old.Count(campaign.Accepted.Contains) < campaign.Base.Majority) return;
        Activate(campaign);
    }
}
