namespace RecoverKV.Simulation;

/// <summary>The kinds of faults; each seed draws which are on.</summary>
[Flags]
public enum Faults
{
    None = 0,

    /// <summary>A process dies and loses what was not yet on disk.</summary>
    Crash = 1,

    /// <summary>Several or all processes die at once.</summary>
    CrashMany = 2,

    /// <summary>A process stands still, then handles all that came meanwhile.</summary>
    Pause = 4,

    /// <summary>The nodes fall into two groups that do not reach each other.</summary>
    Partition = 8,

    /// <summary>Messages pass in one direction only.</summary>
    OneWayCut = 16,

    /// <summary>Single links are cut.</summary>
    PartialCut = 32,

    /// <summary>Many messages are lost for a while.</summary>
    LossyTimes = 64,

    /// <summary>A write to disk fails, and the host restarts the replica.</summary>
    FailedWrite = 128,

    /// <summary>A disk stands still for a while.</summary>
    DiskStall = 256,

    /// <summary>A data folder is lost.</summary>
    WipedDisk = 512,

    /// <summary>A journal loses its tail.</summary>
    LostTail = 1024,

    /// <summary>A node leaves in good order and comes back.</summary>
    Leave = 2048,

    /// <summary>Whoever leads is cut off with batches under way, and comes back when the next one is cut off.</summary>
    Succession = 4096,

    /// <summary>A process, or its disk, works only a fifth of the time, for a long while.</summary>
    SlowNode = 8192,

    /// <summary>A journal loses its tail, promises and views among it, and what counts its facts tells of it.</summary>
    LostLog = 16384,

    /// <summary>A node's folder is for a while that of the same node of another store.</summary>
    OtherFolder = 32768,

    /// <summary>A node has for a while other settings than the others.</summary>
    OtherSettings = 65536,

    /// <summary>What a member said before a short restart, that it leaves too, comes to the sequencer long after
    /// it.</summary>
    OldWords = 131072,

    /// <summary>A disk has no room for more data, says its host.</summary>
    FullDisk = 262144,
}
