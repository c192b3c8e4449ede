using RecoverKV.Client.Contracts;

namespace RecoverKV.Actors.Protocol;

/// <summary>Interface only for now.</summary>
public sealed partial class ReplicaCore
{
    /// <summary>Creates it.</summary>
    public ReplicaCore(ProtocolOptions options) => throw new NotImplementedException();

    /// <summary>Effects to carry out, in order; the host clears the list after carrying them out.</summary>
    public List<Effect> Effects { get; } = [];

    /// <summary>Before <see cref="Start"/>: each fact of the journal, in order.</summary>
    public void Replay(Fact fact) => throw new NotImplementedException();

    /// <summary>The journal is replayed; from now on inputs come. <paramref name="now"/> is the local monotonic clock, here and below.</summary>
    public void Start(TimeSpan now) => throw new NotImplementedException();

    /// <summary>Time passed. Call it about every 10 ms.</summary>
    public void Tick(TimeSpan now) => throw new NotImplementedException();

    /// <summary>A message of another replica.</summary>
    public void Receive(TimeSpan now, MemberId from, PeerMessage message) => throw new NotImplementedException();

    /// <summary>All facts up to this number are durable.</summary>
    public void Persisted(TimeSpan now, long number) => throw new NotImplementedException();

    /// <summary>R3, R9: writes of a client, in the order in which it made them.</summary>
    public void Submit(TimeSpan now, ICaller caller, IReadOnlyList<WriteRequest> requests) => throw new NotImplementedException();

    /// <summary>R5: a read of a client.</summary>
    public void Read(TimeSpan now, ICaller caller, ReadConsistency consistency, Read read) => throw new NotImplementedException();

    /// <summary>A page of a scan.</summary>
    public void Scan(TimeSpan now, ICaller caller, ScanRequest request) => throw new NotImplementedException();

    /// <summary>R8: leave in good order; <see cref="Effect.Left"/> follows.</summary>
    public void Leave(TimeSpan now) => throw new NotImplementedException();

    /// <summary>Test only (chaos): null heals from any peer, otherwise gaps are healed from these nodes only.</summary>
    public IReadOnlyCollection<NodeId>? HealFrom { get; set; }

    /// <summary>The accepted view.</summary>
    public View View => throw new NotImplementedException();

    /// <summary>This node leads now.</summary>
    public bool IsSequencer => throw new NotImplementedException();

    /// <summary>The sequencer of the accepted view if it has been heard lately, else null.</summary>
    public NodeId? KnownSequencer(TimeSpan now) => throw new NotImplementedException();

    /// <summary>What this replica may do.</summary>
    public NodeMode Mode(TimeSpan now) => throw new NotImplementedException();

    /// <summary>Every uid up to this one is in the log, on disk.</summary>
    public Uid Contiguous => throw new NotImplementedException();

    /// <summary>The highest committed uid whose entry has been applied.</summary>
    public Uid Committed => throw new NotImplementedException();

    /// <summary>How many uids up to the known committed uid are missing.</summary>
    public long Gap => throw new NotImplementedException();

    /// <summary>Number of keys of the committed state.</summary>
    public long KeyCount => throw new NotImplementedException();
}
