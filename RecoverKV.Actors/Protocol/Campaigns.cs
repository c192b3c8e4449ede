namespace RecoverKV.Actors.Protocol;

// R1 and R2, the candidate's side: canvass, promises, donor. What it does with the donor's log is in Views.cs.
public sealed partial class ReplicaCore
{
    private Canvassing? _canvassing;

    /// <summary>A replica asks whether a majority would promise. It still leads or follows meanwhile.</summary>
    private sealed class Canvassing
    {
        public required Epoch Epoch { get; init; }
        public required Epoch Handover { get; init; }
        public required NodeId[]? Wanted { get; init; }
        public required TimeSpan StartedAt { get; init; }
        public HashSet<MemberId> Would { get; } = [];
        public HashSet<MemberId> Answered { get; } = [];
    }

    /// <summary>What a candidate knows, from its request for promises until its view is active.</summary>
    private sealed class Campaign
    {
        public required Epoch Epoch { get; init; }
        public required Epoch Handover { get; init; }

        /// <summary>The nodes that shall be in-sync if they promise (R8); null: all members that promise.</summary>
        public required NodeId[]? Wanted { get; init; }

        /// <summary>The tenure that this campaign continues, if the candidate led when it began.</summary>
        public required Leading? Former { get; init; }
        public required TimeSpan StartedAt { get; init; }
        public required TimeSpan ProgressAt { get; set; }
        public required TimeSpan SentAt { get; set; }
        public Dictionary<MemberId, Promise> Promises { get; } = [];
        public HashSet<MemberId> Amnesiacs { get; } = [];

        // Set once the promises suffice; Base is the newest view among them, Target the last uid of the donor's log.
        public View? Base { get; set; }
        public Uid Target { get; set; }
        public MemberId Donor { get; set; }
        public TimeSpan BaseAt { get; set; }
        public MemberId[] Members { get; set; } = [];
        public MemberId[] Targets { get; set; } = [];
        public Dictionary<MemberId, Uid> Synchronized { get; } = [];

        // Set once enough targets are synchronised.
        public View? View { get; set; }
        public HashSet<MemberId> Accepted { get; } = [];
    }

    private void StartCanvass(Epoch handover, NodeId[]? wanted)
    {
        if (_canvassing != null || _campaign != null) return;
        _canvassing = new Canvassing
        {
            Epoch = Epoch.Max(_promised.Epoch, _highestSeen).Next,
            Handover = handover,
            Wanted = wanted,
            StartedAt = _now,
        };
        foreach (var node in _options.Nodes) Send(node, new Canvass(_canvassing.Epoch, handover, _view.Epoch));
    }

    private void OnCanvassReply(MemberId from, CanvassReply message)
    {
        _highestSeen = Epoch.Max(_highestSeen, message.Promised);
        if (_canvassing is not { } canvass || message.Epoch != canvass.Epoch) return;
        if (message.Promised >= canvass.Epoch)
        {
            // The epoch is taken: ask again above it, for the same reason.
            _canvassing = null;
            StartCanvass(canvass.Handover, canvass.Wanted);
            return;
        }

        canvass.Answered.Add(from);
        if (!message.Would) return;
        canvass.Would.Add(from);
        var enough = _view.Epoch == Epoch.Zero
            ? canvass.Would.Select(m => m.Node).Distinct().Count() == _options.Nodes.Length
            : IsMajority(canvass.Would.Count(_view.HasMember), _view.Majority);
        if (enough && canvass.Would.Contains(_self)) StartCampaign(canvass);
    }

    private void CanvassTick()
    {
        if (_canvassing == null || _now - _canvassing.StartedAt < _options.ResendInterval) return;
        NoteVainCanvass(_canvassing);
        _canvassing = null;
        if (_leading == null) _electionAt = _now + Jitter(_options.ElectionJitter);
    }

    private void StartCampaign(Canvassing canvass)
    {
        _canvassing = null;
        // While this replica canvassed it may have promised to another one.
        if (canvass.Epoch <= _promised.Epoch) return;
        BeginCampaign(canvass.Epoch, canvass.Handover, canvass.Wanted, _leading);
    }

    private void BeginCampaign(Epoch epoch, Epoch handover, NodeId[]? wanted, Leading? former)
    {
        _campaign = new Campaign
        {
            Epoch = epoch,
            Handover = handover,
            Wanted = wanted,
            Former = former,
            StartedAt = _now,
            ProgressAt = _now,
            SentAt = _now,
        };
        // Its own promise first: from then on nothing commits under the old view here.
        OnRequestPromise(_self, new RequestPromise(epoch, handover));
        _leading = null;
        if (_promised.Epoch == epoch) SendToOthers(new RequestPromise(epoch, handover));
        else GiveUp("it may not promise to itself yet");
    }

    private void CampaignTick(Campaign campaign)
    {
        // Who leads on holds up the writes that wait, and knows how to go on without who does not answer.
        var limit = campaign.Former == null ? _options.CampaignTimeout : _options.CampaignTimeout / 2;
        if (_now - campaign.ProgressAt > limit)
        {
            GiveUp("no progress");
            return;
        }

        if (campaign.Base == null) EvaluatePromises(campaign);
        else if (campaign.View == null) EvaluateSynchronized(campaign);
        if (_campaign != campaign || _now - campaign.SentAt < _options.ResendInterval) return;
        campaign.SentAt = _now;
        if (campaign.View != null)
        {
            foreach (var node in _options.Nodes)
                if (!campaign.Accepted.Any(m => m.Node == node)) Send(node, new InstallView(campaign.View));
        }
        else if (campaign.Base != null)
        {
            foreach (var member in campaign.Targets) SendSynchronize(campaign, member);
        }
        else
        {
            foreach (var node in _options.Nodes)
                if (!campaign.Promises.Keys.Any(m => m.Node == node))
                    Send(node, new RequestPromise(campaign.Epoch, campaign.Handover));
        }
    }

    private void GiveUp(string reason)
    {
        var campaign = _campaign!;
        Notice($"{_self} gives up its campaign for epoch {campaign.Epoch}: {reason}");
        NoteVainCampaign(campaign);
        if (campaign.Former is { } former && _now - former.QuorumAt <= 2 * Lease)
        {
            // One member's trouble does not end the tenure: once more, without who did not answer.
            var answered = campaign.View != null ? campaign.Accepted : campaign.Promises.Keys.ToHashSet();
            NodeId[] wanted = [.. (campaign.Wanted ?? _options.Nodes).Where(n => answered.Any(m => m.Node == n))];
            BeginCampaign(Epoch.Max(_promised.Epoch, _highestSeen).Next, campaign.Handover, wanted, former);
            return;
        }

        StepDown();
        _electionAt = _now + Jitter(_options.CampaignTimeout / 2);
    }

    private void OnPromise(MemberId from, Promise message)
    {
        if (_campaign is not { Base: null } campaign || message.Epoch != campaign.Epoch) return;
        if (!campaign.Promises.TryAdd(from, message)) return;
        campaign.ProgressAt = _now;
        EvaluatePromises(campaign);
    }

    private void EvaluatePromises(Campaign campaign)
    {
        if (!campaign.Promises.ContainsKey(_self)) return;
        var newest = campaign.Promises.Values.MaxBy(p => p.View.Epoch)!.View;
        if (newest.Epoch == Epoch.Zero)
        {
            // The first view records the incarnations of all configured nodes.
            if (!_options.Nodes.All(n => campaign.Promises.Keys.Any(m => m.Node == n))) return;
            campaign.Members = [.. _options.Nodes.Select(n => campaign.Promises.Keys.First(m => m.Node == n))];
            campaign.Donor = _self;
        }
        else
        {
            FindAmnesiacs(campaign, newest);
            var voters = campaign.Promises.Keys
                .Where(m => newest.HasMember(m) && !campaign.Amnesiacs.Contains(m)).ToArray();
            if (!IsMajority(voters.Length, newest.Majority)) return;
            if (!newest.HasMember(_self))
            {
                GiveUp($"it is no member of {newest}");
                return;
            }

            if (StillExpected(campaign, newest)) return;
            var donors = voters.Where(newest.IsInSync).ToArray();
            if (donors.Length == 0) return;
            // The others can heal them: they may start over.
            foreach (var member in campaign.Amnesiacs)
                Send(member.Node, new TailLost(campaign.Epoch, member, Vouched(campaign)));
            campaign.Members = Members(campaign, newest);
            campaign.Donor = donors.MaxBy(m => campaign.Promises[m].Contiguous);
            campaign.Target = campaign.Promises[campaign.Donor].Contiguous;
        }

        campaign.Base = newest;
        campaign.BaseAt = campaign.SentAt = _now;
        var promised = campaign.Members
            .Where(m => campaign.Promises.ContainsKey(m) && !campaign.Amnesiacs.Contains(m)).ToArray();
        var wanted = promised
            .Where(m => campaign.Wanted == null || m == _self || campaign.Wanted.Contains(m.Node)).ToArray();
        campaign.Targets = IsMajority(wanted.Length, Majority(campaign)) ? wanted : promised;
        foreach (var member in campaign.Targets) SendSynchronize(campaign, member);
    }

    private static int Majority(Campaign campaign) => campaign.Members.Length / 2 + 1;

    // A wanted member's promise may be a little later than that of a majority; who came too late before is given more
    // time.
    private bool StillExpected(Campaign campaign, View newest) =>
        _now - campaign.StartedAt < JoinPatience(campaign)
        && (campaign.Wanted ?? _options.Nodes.Where(n => n != newest.Sequencer))
            .Any(n => !campaign.Promises.Keys.Any(m => m.Node == n));

    // As the pause between two tries grows with them, the share of time in which service is interrupted does not.
    private TimeSpan JoinPatience(Campaign campaign)
    {
        var tries = (campaign.Wanted ?? [])
            .Select(n => _joins.TryGetValue(n, out var join) ? join.Pause / FirstJoinPause : 0)
            .DefaultIfEmpty().Max();
        var patience = _options.ResendInterval * (1 + tries);
        return patience < _options.CampaignTimeout / 3
            ? patience
            : Later(_options.ResendInterval, _options.CampaignTimeout / 3);
    }

    private void SendSynchronize(Campaign campaign, MemberId member)
    {
        if (campaign.Synchronized.TryGetValue(member, out var uid) && uid >= campaign.Target) return;
        Send(member.Node, new Synchronize(campaign.Epoch, campaign.Base!, campaign.Target, campaign.Donor.Node));
    }
}
