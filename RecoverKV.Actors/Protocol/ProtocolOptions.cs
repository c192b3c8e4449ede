using RecoverKV.Actors.State;

namespace RecoverKV.Actors.Protocol;

/// <summary>What a <see cref="ReplicaCore"/> is given at its start. Durations are of the local monotonic
/// clock.</summary>
public sealed record ProtocolOptions
{
    /// <summary>This replica.</summary>
    public required MemberId Self { get; init; }

    /// <summary>The configured nodes, this one included; their order ranks candidates.</summary>
    public required NodeId[] Nodes { get; init; }

    /// <summary>R12: the store that the data folder belongs to; empty while it knows none.</summary>
    public Guid Cluster { get; init; }

    /// <summary>R12: the id that a first view made by this node gives to its store: random, not empty in
    /// production.</summary>
    public Guid NewCluster { get; init; }

    /// <summary>R12: the settings that must be equal on all nodes.</summary>
    public IReadOnlyList<Setting> Agreed { get; init; } = [];

    /// <summary>The largest message, in bytes.</summary>
    public int FrameSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>A random number of this run of the process, not 0.</summary>
    public required long Run { get; init; }

    /// <summary>Seed of election jitter and peer choice.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How long a member that acknowledged a heartbeat promises no other epoch (L of R5), in the views that
    /// this node makes: all members of a view go by the view's.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>Time between heartbeats.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A member that was not heard for this long is dropped from the in-sync set (R8).</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>How much longer than a candidate of the rank before it each candidate waits.</summary>
    public TimeSpan ElectionRankDelay { get; init; } = TimeSpan.FromMilliseconds(80);

    /// <summary>Upper bound of the random part of an election timer.</summary>
    public TimeSpan ElectionJitter { get; init; } = TimeSpan.FromMilliseconds(80);

    /// <summary>A campaign without progress for this long is given up.</summary>
    public TimeSpan CampaignTimeout { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>Messages of campaigns, and entries that were not acknowledged, are sent again after this
    /// time.</summary>
    public TimeSpan ResendInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A peer that did not send the entries asked for within this time is passed over for a while, if there
    /// is another one.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>Most requests in one batch.</summary>
    public int BatchRequests { get; init; } = 512;

    /// <summary>Most bytes of requests in one batch, unless a single request is larger.</summary>
    public int BatchBytes { get; init; } = 256 * 1024;

    /// <summary>Most batches sent and not yet committed; nor are more bytes than so many full ones have, unless a
    /// single request is larger.</summary>
    public int BatchesInFlight { get; init; } = 4;

    /// <summary>Most requests that wait to be numbered; beyond it callers are told that the sequencer is
    /// busy.</summary>
    public int WaitingRequests { get; init; } = 16 * 1024;

    /// <summary>Most bytes of requests that wait to be numbered.</summary>
    public long WaitingBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Most reads that wait for a commit.</summary>
    public int WaitingReads { get; init; } = 64 * 1024;

    /// <summary>Most bytes of reads that wait for a commit.</summary>
    public long WaitingReadBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>R9: the bounds of the sessions. Not for nodes to choose.</summary>
    internal SessionLimits Sessions { get; init; } = SessionLimits.Standard;

    /// <summary>R6: how rough the index of facts may be. Not for nodes to choose.</summary>
    internal long PieceBytes { get; init; } = FactIndex.PieceBytes;

    /// <summary>Most entries of one <see cref="Entries"/> message.</summary>
    public int FetchEntries { get; init; } = 2048;

    /// <summary>Most bytes of one <see cref="Entries"/> message, unless a single entry is larger.</summary>
    public int FetchBytes { get; init; } = 512 * 1024;

    /// <summary>Most fetches under way at once, over all peers.</summary>
    public int FetchesInFlight { get; init; } = 4;

    /// <summary>R11: this replica's disk takes the place of one that had lost its data. So there was a store, and the
    /// replica helps nobody to begin another one.</summary>
    public bool IsSuccessor { get; init; }

    /// <summary>Whether a replica that reaches no peer answers reads of consistency
    /// <see cref="Client.Contracts.ReadConsistency.Available"/> with what it has.</summary>
    public bool ServesAlone { get; init; }

    /// <summary>How many bytes of committed entries stay in memory for peers; older ones are read from the
    /// journal.</summary>
    public long LogBytesInMemory { get; init; } = 32 * 1024 * 1024;

    /// <summary>R10: about how many bytes of committed entries the journal keeps behind a checkpoint, for
    /// peers.</summary>
    public long LogBytesKept { get; init; } = 64 * 1024 * 1024;

    /// <summary>Most bytes that keys and values may take in memory, with what is under way: beyond it nothing is taken
    /// that adds data.</summary>
    public long MemoryQuota { get; init; } = long.MaxValue;

    /// <summary>Most bytes of one message of answers to a client, unless a single value is larger.</summary>
    public int AnswerBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>The longest write, in bytes: it must fit a message.</summary>
    public int MaxRequestBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>The longest key, in bytes.</summary>
    public int MaxKeyBytes { get; init; } = 1024;

    /// <summary>The longest value, in bytes.</summary>
    public int MaxValueBytes { get; init; } = 1024 * 1024;
}
