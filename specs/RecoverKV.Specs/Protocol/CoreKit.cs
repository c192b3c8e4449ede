using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using static RecoverKV.Specs.Protocol.Given;

namespace RecoverKV.Specs.Protocol;

/// <summary>A client in specs.</summary>
internal sealed record Caller(string Name) : ICaller
{
    public Share Share { get; } = new();

    public bool Equals(Caller? other) => other?.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}

/// <summary>
/// One <see cref="ReplicaCore"/> under a spec's control: its clock, its disk and its network. Every step returns the
/// exact list of effects that it had, notices to operators left out.
/// </summary>
internal sealed class CoreKit
{
    private readonly List<Fact> _journal = [];
    private long _onDisk;

    private CoreKit(
        ProtocolOptions options, Fact[] journal, Mutations mutations, string? lost, Action<ReplicaCore>? before)
    {
        Core = new ReplicaCore(options) { Mutations = mutations };
        before?.Invoke(Core);
        foreach (var fact in journal)
        {
            Core.Replay(fact);
            _journal.Add(fact);
        }

        _onDisk = journal.Length;
        Core.Start(Now, lost);
        Take();
    }

    /// <summary>A replica that comes up with this journal.</summary>
    /// <param name="node">Its number; the node is called n1 and so on.</param>
    /// <param name="of">How many nodes are configured.</param>
    /// <param name="journal">The facts on its disk.</param>
    /// <param name="options">Changes the options.</param>
    /// <param name="incarnation">Which disk it is.</param>
    /// <param name="mutations">Known mistakes to put back.</param>
    /// <param name="lost">What the host knows to be lost.</param>
    /// <param name="before">What the host does before the start.</param>
    public static CoreKit Start(
        int node, int of, Fact[] journal, Func<ProtocolOptions, ProtocolOptions>? options = null, int incarnation = 0,
        Mutations mutations = Mutations.None, string? lost = null, Action<ReplicaCore>? before = null)
    {
        var made = new ProtocolOptions
        {
            Self = Member(node, incarnation),
            Nodes = [.. Enumerable.Range(1, of).Select(Node)],
            Run = Run,
            Seed = 7,
            // Elections at exact instants; jitter has a spec of its own.
            ElectionJitter = TimeSpan.Zero,
        };
        return new CoreKit(options == null ? made : options(made), journal, mutations, lost, before);
    }

    /// <summary>The number of the run of every core that is started here.</summary>
    public const long Run = 99;

    public ReplicaCore Core { get; }

    /// <summary>The local clock; its origin is arbitrary.</summary>
    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(100);

    /// <summary>All facts so far, on disk or not.</summary>
    public IReadOnlyList<Fact> Journal => _journal;

    /// <summary>The facts that would be there after a crash now.</summary>
    public Fact[] OnDisk => [.. _journal.Take((int)_onDisk)];

    public NodeMode Mode => Core.Mode(Now);

    /// <summary>The last effects that were journalled are on disk, and all before.</summary>
    public Effect[] DiskCatchesUp() => DiskReaches(_journal.Count);

    /// <summary>The facts up to this number are on disk.</summary>
    public Effect[] DiskReaches(long fact)
    {
        _onDisk = fact;
        Core.Persisted(Now, fact);
        return Take();
    }

    public Effect[] Receive(int from, PeerMessage message) => Receive(Member(from), message);

    public Effect[] Receive(MemberId from, PeerMessage message)
    {
        return Receive(Core.HeaderTo(Core.Options.Self.Node) with { From = from }, message);
    }

    /// <summary>A message with any header (R12).</summary>
    public Effect[] Receive(Header header, PeerMessage message)
    {
        Core.Receive(Now, header, message);
        return Take();
    }

    /// <summary>The clock goes on, and nobody tells the core.</summary>
    public void Later(int milliseconds) => Now += TimeSpan.FromMilliseconds(milliseconds);

    public Effect[] Tick()
    {
        Core.Tick(Now);
        return Take();
    }

    /// <summary>Time passes with a tick every 10 ms.</summary>
    public Effect[] Wait(int milliseconds)
    {
        var effects = new List<Effect>();
        for (var passed = 0; passed < milliseconds; passed += 10)
        {
            Later(Math.Min(10, milliseconds - passed));
            effects.AddRange(Tick());
        }

        return [.. effects];
    }

    /// <summary>Time passes with ticks, until the first effects that satisfy the condition.</summary>
    public Effect[] WaitFor(Func<Effect, bool> condition, int atMost = 5000)
    {
        for (var passed = 0; passed < atMost; passed += 10)
        {
            Later(10);
            var effects = Tick();
            if (effects.Any(condition)) return effects;
        }

        throw new InvalidOperationException($"nothing of the kind within {atMost} ms");
    }

    public Effect[] Submit(Caller caller, params WriteRequest[] requests)
    {
        Core.Submit(Now, caller, requests);
        return Take();
    }

    public Effect[] Read(
        Caller caller, string key, long id = 1, ReadConsistency consistency = ReadConsistency.Linearizable) =>
        Read(caller, consistency, new Read(id, [key]));

    public Effect[] Read(Caller caller, ReadConsistency consistency, Read read)
    {
        Core.Read(Now, caller, consistency, read);
        return Take();
    }

    public Effect[] Scan(Caller caller, ScanRequest request)
    {
        Core.Scan(Now, caller, request);
        return Take();
    }

    public Effect[] HealFrom(params NodeId[]? peers)
    {
        Core.HealFrom(Now, peers);
        return Take();
    }

    public string? Trouble => Core.Reason(Now);

    public Effect[] DiskTrouble(string? what)
    {
        Core.DiskTrouble(Now, what);
        return Take();
    }

    public Effect[] DiskRoom(string? full)
    {
        Core.DiskRoom(Now, full);
        return Take();
    }

    public Effect[] Leave()
    {
        Core.Leave(Now);
        return Take();
    }

    private Effect[] Take()
    {
        var effects = Core.Effects.ToArray();
        Core.Effects.Clear();
        foreach (var effect in effects)
        {
            // What holds of every step: facts are numbered without a hole, and nothing is sent to oneself.
            if (effect is Effect.Journal journal)
            {
                _journal.Add(journal.Fact);
                Assert.Equal(_journal.Count, journal.Number);
            }
            else if (effect is Effect.Send send)
            {
                Assert.NotEqual(Core.Options.Self.Node, send.To);
            }
        }

        Assert.Equal(_journal.Count, Core.FactCount);
        Assert.True(Core.PromisedEpoch >= Core.View.Epoch);
        return [.. effects.Where(e => e is not Effect.Notice)];
    }
}
