namespace RecoverKV.Actors.Protocol;

// What becomes of a replica that reaches no peer, by ProtocolOptions.ServesAlone; and, for tests, the limits of what it
// may reach. Nothing here changes what it votes for, acknowledges or commits.
public sealed partial class ReplicaCore
{
    private const int Attempts = 3;

    private IReadOnlyCollection<NodeId>? _healFrom;

    // When a peer was last of use: while entries are lacking it must have sent some.
    private TimeSpan _reachedAt;

    private bool LacksEntries => _log.Held.Contiguous < _knownCommitted;

    // R8: whoever may not fill its gaps is not asked to join a view.
    private bool IsCutOff => _healFrom != null && LacksEntries && HealingPeers.Length == 0;

    // R6: the in-sync members, but for this one.
    private NodeId[] HealingPeers =>
        [.. _view.InSync.Where(n => n != _self.Node && (_healFrom == null || _healFrom.Contains(n)))];

    /// <summary>For tests: the replica fills its gaps from these peers only (R6), and tries it anew at once. What makes
    /// or follows a view is not limited: appends, heartbeats, elections.</summary>
    /// <param name="now">The local clock.</param>
    /// <param name="peers">Null for all.</param>
    public void HealFrom(TimeSpan now, IReadOnlyCollection<NodeId>? peers)
    {
        if (_stopped || _lost != null) return;
        _now = now;
        _healFrom = peers;
        ForgetFetches();
        GiveUpTransfer();
        _peerFailedAt.Clear();
        Heal();
        Settle();
    }

    // Several attempts to reach a peer have failed, so this replica may not become ALIVE for now.
    private bool IsAlone(TimeSpan now) =>
        now - _reachedAt > Attempts * (IsCutOff ? _options.ResendInterval : _options.FetchTimeout);

    /// <summary>R5: whether reads that allow it are answered with what this replica has, however old. The answers say
    /// so, by an age that is not zero.</summary>
    public bool AnswersAlone(TimeSpan now) => _options.ServesAlone && !HasLease(now) && IsAlone(now);
}
