namespace RecoverKV.Chaos.Faults;

/// <summary>What the nemesis does.</summary>
internal enum FaultKind
{
    KillOne,
    KillSome,
    KillAll,
    Pause,
    PauseAll,
    CleanStop,
    Isolate,
    Halves,
    OneWay,
    OneLink,
    FromClients,
    Throttle,
    FullDisk,
    JournalTail,
    JournalNoise,
    WipedFolder,
    ClockJump,
    SlowMember,
    LongSilence,
    FullDisks,
    LogLost,
    LogLostAlone,
    ThinLink,
    ForeignFolder,
    SlowDisk,
}

internal static class FaultKinds
{
    /// <summary>For people.</summary>
    public static string Describe(this FaultKind kind) => kind switch
    {
        FaultKind.KillOne => "kill -9 of one node",
        FaultKind.KillSome => "kill -9 of several at once",
        FaultKind.KillAll => "kill -9 of all at once",
        FaultKind.Pause => "SIGSTOP of one, up to 3 leases",
        FaultKind.PauseAll => "SIGSTOP of several, up to 3 leases",
        FaultKind.CleanStop => "clean stop of one",
        FaultKind.Isolate => "one node cut from the others",
        FaultKind.Halves => "two groups cut from each other",
        FaultKind.OneWay => "messages of one group to the other lost",
        FaultKind.OneLink => "one link cut",
        FaultKind.FromClients => "one node cut from everyone, clients too",
        FaultKind.Throttle => "what one node sends slowed to 1 Mbit/s",
        FaultKind.FullDisk => "full disk",
        FaultKind.JournalTail => "journal tail truncated",
        FaultKind.JournalNoise => "noise in the journal",
        FaultKind.WipedFolder => "data folder wiped",
        FaultKind.ClockJump => "wall clock jumps by up to a day",
        FaultKind.SlowMember => "one node runs a fifth of the time, for 10 s",
        FaultKind.LongSilence => "SIGSTOP of one for 5 minutes",
        FaultKind.FullDisks => "all disks full",
        FaultKind.LogLost => "write-ahead log deleted after kill -9",
        FaultKind.LogLostAlone => "the same, where only those start again who do not know what it held",
        FaultKind.ThinLink => "all links of 50 Mbit/s, values of 1 MiB",
        FaultKind.ForeignFolder => "folder of another store in the place of a node's",
        FaultKind.SlowDisk => "a disk that takes half a second to sync, for 10 s",
        _ => kind.ToString(),
    };

    /// <summary>Takes data from a node: one at a time, and only while all others are well, as the promises go no
    /// further.</summary>
    public static bool LosesData(this FaultKind kind) =>
        kind is FaultKind.JournalTail or FaultKind.JournalNoise or FaultKind.WipedFolder or FaultKind.LogLost
            or FaultKind.LogLostAlone;

    /// <summary>Whether another fault may come at the same time.</summary>
    public static bool Combines(this FaultKind kind) => !kind.LosesData()
        && kind is not (FaultKind.LongSilence or FaultKind.ThinLink or FaultKind.ForeignFolder);
}
