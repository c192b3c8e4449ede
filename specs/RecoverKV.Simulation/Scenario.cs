using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.State;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Simulation;

/// <summary>All that a seed decides before the run begins (swarm style: what is off matters as much as what is
/// on).</summary>
public sealed record Scenario
{
    public required ulong Seed { get; init; }

    public required int Nodes { get; init; }

    public required int Clients { get; init; }

    public required int Keys { get; init; }

    /// <summary>Values have up to so many bytes more than they need: with <see cref="ProtocolOptions.FrameSize"/> as
    /// small as nodes may have it.</summary>
    public required int Padding { get; init; }

    /// <summary>Most open operations of one client.</summary>
    public required int Pipeline { get; init; }

    /// <summary>Longest time until a client thinks of its next operation.</summary>
    public required TimeSpan Think { get; init; }

    /// <summary>Whether clients write and read several keys at once.</summary>
    public required bool MultiKey { get; init; }

    /// <summary>So many of the clients are the library's own code.</summary>
    public required int LibraryClients { get; init; }

    /// <summary>Share of clients that number their requests as they like.</summary>
    public required double AnyNumbers { get; init; }

    /// <summary>Share of writes whose answer shall have the versions before them.</summary>
    public required double AskPrevious { get; init; }

    /// <summary>After this time a client gives an operation up, whose outcome is then unknown.</summary>
    public required TimeSpan GiveUp { get; init; }

    /// <summary>Faults happen from here on.</summary>
    public required TimeSpan FaultsBegin { get; init; }

    /// <summary>Faults end here; within <see cref="Recovery"/> all must be well.</summary>
    public required TimeSpan FaultsEnd { get; init; }

    public required TimeSpan MeanBetweenFaults { get; init; }

    public required Faults Faults { get; init; }

    public required TimeSpan MinDelay { get; init; }

    public required TimeSpan MaxDelay { get; init; }

    /// <summary>Share of messages that take up to five times the longest delay.</summary>
    public required double Stragglers { get; init; }

    public required double Loss { get; init; }

    public required double Duplication { get; init; }

    /// <summary>Half of the copies come up to so much later, when those who sent them may have started anew; zero: none
    /// do.
    /// </summary>
    public required TimeSpan LateCopies { get; init; }

    public required TimeSpan MaxDiskDelay { get; init; }

    /// <summary>R10; zero: nodes make no checkpoints.</summary>
    public required TimeSpan MeanBetweenCheckpoints { get; init; }

    /// <summary>Whether each start of a node draws its own quota.</summary>
    public required bool UnequalQuotas { get; init; }

    /// <summary>Whether each start of a node draws its own setting of the lease.</summary>
    public required bool UnequalLeases { get; init; }

    /// <summary>What is the same on all nodes.</summary>
    public required ProtocolOptions Options { get; init; }

    /// <summary>The bound of the liveness property.</summary>
    public TimeSpan Recovery => TimeSpan.FromSeconds(10) + 30 * Options.Lease + 60 * MaxDelay;

    /// <summary>How long it may take to fetch so many entries, in chunks as small as they are drawn.</summary>
    public TimeSpan FetchTime(long entries)
    {
        var ofChunk = Math.Max(1, Math.Min(Options.FetchEntries, Options.FetchBytes / 100));
        return (entries / ofChunk + 1) * (2 * MaxDelay + MaxDiskDelay);
    }

    // Few kinds in one run meet each other more often than all of them would; and some do what they can only by themselves.
    private static Faults DrawFaults(Prng random, ulong seed)
    {
        var kinds = Enum.GetValues<Faults>().Where(f => f != Faults.None).ToList();
        var drawn = random.Sample(kinds, random.OneOf(1, 2, 3, 4, 6, kinds.Count)).Aggregate((a, b) => a | b);
        return new Prng(seed ^ 0x15C7).Below(16) switch
        {
            0 => Faults.SlowNode,
            1 => Faults.LostTail | Faults.CrashMany,
            12 or 13 => Faults.Crash | Faults.OneWayCut,
            _ => drawn,
        };
    }

    // Sessions are evicted, and answers forgotten, only with much less than what nodes have.
    private static SessionLimits DrawSessions(Prng random) => random.Chance(0.7)
        ? SessionLimits.Standard
        : new SessionLimits
        {
            Sessions = random.OneOf(2, 4, 10_000),
            AnswersPerSession = random.OneOf(1, 3, 4096),
            Bytes = random.OneOf(200L, 1000L, 1_000_000L),
            PreviousBytes = random.OneOf(0, 24, 48, 4096),
        };

    public static Scenario Draw(ulong seed, TimeSpan? faultTime = null)
    {
        var random = new Prng(seed);
        var more = new Prng(~seed);
        var log = new Prng(seed ^ 0x106F);
        var room = new Prng(seed ^ 0x500A);
        var lease = TimeSpan.FromMilliseconds(random.OneOf(300, 600, 1200));
        var maxDelay = TimeSpan.FromMilliseconds(random.OneOf(2, 10, 40));
        var calm = random.Chance(0.05);
        var tiny = random.Chance(0.5);
        var small = new Prng(seed ^ 0xF4A3).Chance(0.06);
        var begin = random.Milliseconds(0, 2000);
        // A generator of its own: all else of a seed stays as it was.
        var late = new Prng(seed ^ 0x1A7E).Below(20) switch
        {
            0 => TimeSpan.FromMinutes(1),
            < 4 => 5 * lease,
            < 7 => 20 * lease,
            _ => TimeSpan.Zero,
        };
        return new Scenario
        {
            Seed = seed,
            Nodes = random.OneOf(1, 3, 3, 3, 3, 3, 5, 5, 5),
            Clients = random.Between(2, 6),
            Padding = small ? 5000 : 0,
            LibraryClients = new Prng(seed ^ 0x11B0).OneOf(0, 0, 1, 2, 6),
            Keys = random.OneOf(1, 2, 2, 3, 6),
            Pipeline = random.OneOf(1, 1, 2, 4),
            Think = TimeSpan.FromMilliseconds(random.OneOf(5, 30, 150)),
            MultiKey = random.Chance(0.4),
            AnyNumbers = more.OneOf(0, 0, 0.3, 1),
            AskPrevious = more.OneOf(0.5, 1, 1, 1),
            GiveUp = TimeSpan.FromMilliseconds(random.OneOf(400, 1500, 6000)),
            FaultsBegin = begin,
            FaultsEnd = begin + (faultTime ?? TimeSpan.FromSeconds(late > TimeSpan.FromSeconds(30) ? 70 : 12)),
            MeanBetweenFaults = TimeSpan.FromMilliseconds(random.OneOf(150, 500, 1000)),
            Faults = calm ? Faults.None : DrawFaults(random, seed),
            MinDelay = TimeSpan.FromMilliseconds(0.1),
            MaxDelay = maxDelay,
            Stragglers = random.OneOf(0, 0, 0.01, 0.1),
            Loss = calm ? 0 : random.OneOf(0, 0, 0.01, 0.05),
            Duplication = random.OneOf(0, 0.01, 0.1),
            LateCopies = late,
            MaxDiskDelay = TimeSpan.FromMilliseconds(random.OneOf(0.5, 5, 30)),
            MeanBetweenCheckpoints = TimeSpan.FromMilliseconds(new Prng(seed ^ 0xC4EC).OneOf(0, 100, 500, 2000)),
            UnequalLeases = random.Chance(0.3),
            UnequalQuotas = room.Chance(0.3),
            Options = new ProtocolOptions
            {
                Self = default,
                Nodes = [],
                Run = 0,
                Seed = 0,
                Lease = lease,
                HeartbeatInterval = lease / 10,
                // As settings are checked: at least two heartbeats.
                SilenceLimit = TimeSpan.FromMilliseconds(
                        Math.Max(random.OneOf(100, 250, 1000), lease.TotalMilliseconds / 5))
                    + 4 * maxDelay,
                ElectionRankDelay = TimeSpan.FromMilliseconds(20) + maxDelay,
                ElectionJitter = TimeSpan.FromMilliseconds(40) + 2 * maxDelay,
                CampaignTimeout = TimeSpan.FromMilliseconds(300) + 10 * maxDelay,
                ResendInterval = TimeSpan.FromMilliseconds(20) + 3 * maxDelay,
                FetchTimeout = TimeSpan.FromMilliseconds(100) + 5 * maxDelay,
                BatchRequests = tiny ? random.Between(1, 3) : 512,
                BatchBytes = Math.Min(
                    tiny ? random.OneOf(1, 200, 100_000) : 256 * 1024, small ? 16 * 1024 : int.MaxValue),
                BatchesInFlight = random.Between(1, 4),
                WaitingRequests = tiny ? random.OneOf(2, 10, 1000) : 16 * 1024,
                WaitingReads = tiny ? random.OneOf(2, 10, 1000) : 16 * 1024,
                WaitingBytes = tiny ? more.OneOf(100L, 1000L, 1_000_000L) : 64 * 1024 * 1024,
                WaitingReadBytes = tiny ? more.OneOf(300L, 3000L, 1_000_000L) : 64 * 1024 * 1024,
                Sessions = DrawSessions(more),
                FetchEntries = tiny ? random.Between(1, 5) : 2048,
                FetchBytes = Math.Min(
                    tiny ? random.OneOf(1, 300, 100_000) : 512 * 1024, small ? 48 * 1024 : int.MaxValue),
                FetchesInFlight = random.Between(1, 4),
                FrameSize = small ? ClientLimits.FrameBytesLeast : ClientLimits.FrameBytes,
                MaxValueBytes = small ? 24 * 1024 : 1024 * 1024,
                MaxRequestBytes = small ? 32 * 1024 : 2 * 1024 * 1024,
                AnswerBytes = small ? 32 * 1024 : 2 * 1024 * 1024,
                LogBytesInMemory = random.OneOf(0L, 1000L, 10_000L, 32L * 1024 * 1024),
                LogBytesKept = log.OneOf(0L, 0L, 300L, 3000L, 64L * 1024 * 1024),
                PieceBytes = log.OneOf(1L, 200L, 1000L, 512L * 1024),
                // A key of these scenarios takes some 70 bytes.
                MemoryQuota = room.Chance(0.2) && !small ? room.Between(0, 400) : long.MaxValue,
            },
        };
    }
}
