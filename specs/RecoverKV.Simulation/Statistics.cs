namespace RecoverKV.Simulation;

/// <summary>What runs did.</summary>
public sealed class Statistics
{
    public long Runs { get; set; } = 1;

    public TimeSpan Simulated { get; set; }

    public long Writes { get; set; }

    public long Reads { get; set; }

    /// <summary>Operations that their clients gave up.</summary>
    public long Unknown { get; set; }

    public long Retries { get; set; }

    public long Committed { get; set; }

    /// <summary>Faults that were injected, by kind.</summary>
    public Dictionary<Faults, long> Faults { get; } = [];

    public long Views { get; set; }

    public long MessagesLost { get; set; }

    public long JournalReads { get; set; }

    public long StartedOver { get; set; }

    public long Checkpoints { get; set; }

    /// <summary>Facts that journals forgot.</summary>
    public long Forgotten { get; set; }

    /// <summary>States that replicas took from others.</summary>
    public long Transfers { get; set; }

    public long Undecided { get; set; }

    public void Add(Statistics other)
    {
        Runs += other.Runs;
        Simulated += other.Simulated;
        Writes += other.Writes;
        Reads += other.Reads;
        Unknown += other.Unknown;
        Retries += other.Retries;
        Committed += other.Committed;
        foreach (var (kind, count) in other.Faults) CountFault(kind, count);
        Views += other.Views;
        MessagesLost += other.MessagesLost;
        JournalReads += other.JournalReads;
        StartedOver += other.StartedOver;
        Checkpoints += other.Checkpoints;
        Forgotten += other.Forgotten;
        Transfers += other.Transfers;
        Undecided += other.Undecided;
    }

    public void CountFault(Faults kind, long count = 1) => Faults[kind] = Faults.GetValueOrDefault(kind) + count;
}
