namespace RecoverKV.Actors.Protocol;

// What keeps a replica from its work, and who is told: the operator by its status, whoever waits by the answer.
public sealed partial class ReplicaCore
{
    private string? _diskTrouble;

    // What was found out under an accepted view; another view makes it old.
    private (string Text, Epoch View)? _otherHistory, _amnesia, _noMajority, _differs;

    /// <summary>Why this replica does not do what it should, in one line for the operator; null if it does, or if there
    /// is nothing to tell.</summary>
    private string? Trouble(TimeSpan now)
    {
        if (_lost != null) return _lost;
        if (_diskTrouble != null) return $"its disk takes nothing for now: {_diskTrouble}";
        if (Current(_otherHistory) is { } other) return other;
        if (Current(_differs) is { } differs) return differs;
        if (KnownSequencer(now) != null) return null;
        if (Current(_amnesia) is { } amnesia) return amnesia;
        if (BeginsNoStore(_view.Epoch))
            return $"it succeeds a replica that lost its data, and waits for a node that has {Store(Cluster)}; it "
                + $"helps to begin no new one. {Rescuing}";
        return now - _lastHeartbeat > PatienceInLeases * Lease ? Current(_noMajority) : null;
    }

    // An election takes about one.
    private const int PatienceInLeases = 4;

    private string? Current((string Text, Epoch View)? note) => note is { } n && n.View == _view.Epoch ? n.Text : null;

    /// <summary>The journal waits for a disk that takes nothing, or does so no longer. What is to be journalled is not
    /// lost; but this replica votes for nobody meanwhile, and takes no new writes.</summary>
    /// <param name="now">The local clock.</param>
    /// <param name="what">What is wrong, in a few words; null if nothing any more.</param>
    public void DiskTrouble(TimeSpan now, string? what)
    {
        if (_stopped) return;
        _now = now;
        _diskTrouble = what;
        if (_leading != null) RefuseWhatWaits(_leading);
        Settle();
    }

    // Why no write can commit for now, if disks are the reason.
    private string? Blocked => _diskTrouble != null
        ? $"the disk of the sequencer, {_self.Node}, takes nothing: {_diskTrouble}"
        : _leading?.Blocked;

    // What has no uid yet need not wait for the disks, as whoever sent it can be told that it was not taken.
    private void RefuseWhatWaits(Leading leading)
    {
        leading.Blocked = StalledWithoutRemedy(leading);
        if (Blocked is not { } why) return;
        while (leading.Waiting.TryDequeue(out var request))
        {
            if (RemoveWaiter(request) is { } caller)
                AnswerWrite(caller, request, Client.Contracts.WriteStatus.Busy, why);
        }

        leading.WaitingBytes = 0;
    }

    // In-sync members whose disks take nothing, where no majority is left without them (R8).
    private string? StalledWithoutRemedy(Leading leading)
    {
        var inSync = leading.Followers.Values.Where(f => _view.IsInSync(f.Member)).ToArray();
        if (IsMajority(inSync.Count(f => !IsSilent(f)), _view.Majority)) return null;
        var stalled = inSync.Where(f => !f.Left && _now - f.HeardAt <= _options.SilenceLimit && IsStalled(f)).ToArray();
        return stalled.Length == 0 ? null
            : $"the disks of {string.Join(", ", stalled.Select(f => f.Member.Node))} take nothing";
    }

    // A sequencer whose disk takes nothing makes room only for a majority whose disks took what its own did not: as
    // long as it leads, reads are served.
    private bool OthersCanGoOn(Leading leading) => IsMajority(
        leading.Followers.Values.Count(f => f.Member != _self && _view.HasMember(f.Member) && !IsSilent(f)
            && f.Contiguous >= leading.NextUid.Previous),
        _view.Majority);

    // R11: whose disk was lost helps nobody to a first view, for there was one.
    private bool BeginsNoStore(Epoch candidatesView) =>
        (_options.IsSuccessor || Cluster != Guid.Empty) && _view.Epoch == Epoch.Zero && candidatesView == Epoch.Zero;

    private const string Rescuing =
        "If too few nodes are left, `recoverkv rescue` makes a new store of the best folder, damaged ones included";

    private void NoteVainCanvass(Canvassing canvass)
    {
        if (_leading != null || _view.Epoch == Epoch.Zero) return;
        var reasons = _view.Members.Where(m => !canvass.Would.Contains(m)).Select(m =>
            canvass.Answered.Contains(m) ? $"{m.Node} does not vote for it"
            : canvass.Answered.Any(a => a.Node == m.Node) ? $"{m.Node} has another disk than it had"
            : $"{m.Node} does not answer");
        // Whoever has another disk will not have the former one again by itself.
        var lost = _view.Members.Count(
            m => !canvass.Answered.Contains(m) && canvass.Answered.Any(a => a.Node == m.Node));
        var remedy = IsMajority(_view.Members.Length - lost, _view.Majority) ? "" : $". {Rescuing}";
        _noMajority = ($"there is no majority of the members: {string.Join(", ", reasons)}{remedy}", _view.Epoch);
    }

    // R11: promisers that lost what is known to be committed, and no healthy majority with a donor without them.
    private void NoteVainCampaign(Campaign campaign)
    {
        if (campaign.Base != null || campaign.Amnesiacs.Count == 0) return;
        var lost = campaign.Amnesiacs.OrderBy(m => m.Node.Name, StringComparer.Ordinal)
            .Select(m => $"{m.Node} has them up to {campaign.Promises[m].Contiguous}");
        var text = $"no sequencer can be elected: writes up to uid {Vouched(campaign)} were committed, "
            + $"but {string.Join(", ", lost)}. Such a data folder is an older copy, or has lost files. Put back "
            + "what is missing, or start the other nodes; `dump --stale` of each node saves what it has, and "
            + "`recoverkv rescue` makes a new store of the best folder";
        if (Current(_amnesia) != text) Notice($"{_self}: {text}");
        _amnesia = (text, _view.Epoch);
    }

    // One epoch has one view, and what was committed before a view is part of it. Where that does not hold, a majority
    // of the disks went back to older copies and made the epoch once more.
    private void NoteOtherHistory(MemberId from, Epoch epoch)
    {
        var text = $"{from.Node} and this node know epoch {epoch} with different writes: a majority of the data "
            + $"folders was replaced by older copies. This node has uids up to {Contiguous}; save what both have "
            + "with `dump --stale` before one of them is made to start over";
        if (Current(_otherHistory) != text) Notice($"{_self}: {text}");
        _otherHistory = (text, _view.Epoch);
    }

    private bool Contradicts(View view)
    {
        if (Mutated(Mutations.AmnesiaTrusted)) return false;
        if (view.Epoch == _view.Epoch) return view.DiffersFrom(_view);
        return view.Epoch > _view.Epoch
            && (view.FirstUid <= _toldByView || Disagree(_view, view) || Disagree(view, _view));
    }

    // About the epoch of something committed; of the time before its history begins a view says nothing.
    private bool Disagree(View one, View other) => one.History.Any(t =>
        t.FirstUid <= _toldByView && other.History.Length > 0 && t.FirstUid >= other.History[0].FirstUid
        && other.EpochAt(t.FirstUid) != t.Epoch);
}
