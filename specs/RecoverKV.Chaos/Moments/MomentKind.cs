namespace RecoverKV.Chaos.Moments;

/// <summary>What is broken off, or finds no room, and whose end it is.</summary>
internal enum MomentKind
{
    CheckpointKilled,
    CompactionKilled,
    TakerKilled,
    GiverKilled,
    BackupKilled,
    BackedUpNodeKilled,
    RestoreKilled,
    CheckpointFull,
    CompactionFull,
    TakerFull,
    GiverFull,
    BackupFull,
    RestoreFull,
}

/// <summary>What takes its time, so that something can come at any moment of it.</summary>
internal enum Operation
{
    Checkpoint,
    Compaction,
    Transfer,
    Backup,
    Restore,
}

internal static class MomentKinds
{
    /// <summary>For people.</summary>
    public static string Describe(this MomentKind kind) => kind switch
    {
        MomentKind.CheckpointKilled => "checkpoint: kill -9 of its node",
        MomentKind.CompactionKilled => "the journal forgets: kill -9 of its node",
        MomentKind.TakerKilled => "a state is taken: kill -9 of the taker",
        MomentKind.GiverKilled => "a state is taken: kill -9 of the giver",
        MomentKind.BackupKilled => "backup: kill -9 of the command",
        MomentKind.BackedUpNodeKilled => "backup: kill -9 of the node that it reads",
        MomentKind.RestoreKilled => "restore: kill -9 of the command",
        MomentKind.CheckpointFull => "checkpoint: full disk",
        MomentKind.CompactionFull => "the journal forgets: full disk",
        MomentKind.TakerFull => "a state is taken: full disk of the taker",
        MomentKind.GiverFull => "a state is taken: full disk of the giver",
        MomentKind.BackupFull => "backup: full disk",
        _ => "restore: full disk",
    };

    /// <summary>What it comes at.</summary>
    public static Operation Of(this MomentKind kind) => kind switch
    {
        MomentKind.CheckpointKilled or MomentKind.CheckpointFull => Operation.Checkpoint,
        MomentKind.CompactionKilled or MomentKind.CompactionFull => Operation.Compaction,
        MomentKind.BackupKilled or MomentKind.BackedUpNodeKilled or MomentKind.BackupFull => Operation.Backup,
        MomentKind.RestoreKilled or MomentKind.RestoreFull => Operation.Restore,
        _ => Operation.Transfer,
    };

    /// <summary>Whether a disk gets full instead of a process being killed.</summary>
    public static bool FillsDisk(this MomentKind kind) => kind >= MomentKind.CheckpointFull;
}
