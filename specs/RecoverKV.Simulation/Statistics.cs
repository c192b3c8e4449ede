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

    public long Faults { get; set; }

    public long Views { get; set; }

    public long MessagesLost { get; set; }

    public long JournalReads { get; set; }

    public long StartedOver { get; set; }

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
        Faults += other.Faults;
        Views += other.Views;
        MessagesLost += other.MessagesLost;
        JournalReads += other.JournalReads;
        StartedOver += other.StartedOver;
        Undecided += other.Undecided;
    }
}
