using RecoverKV.Actors.Protocol;

namespace RecoverKV.Benchmarks;

/// <summary>
/// Three cores of one cluster with disks and links that take no time. They elect a sequencer; after that each can be
/// driven by itself.
/// </summary>
internal sealed class CoreEnvironment
{
    private static readonly NodeId[] Nodes = [new("node1"), new("node2"), new("node3")];
    private readonly ReplicaCore[] _cores;

    /// <summary>Ends when all have a lease and the session is open.</summary>
    public CoreEnvironment()
    {
        _cores = [.. Nodes.Select((n, i) => new ReplicaCore(new ProtocolOptions
        {
            Self = new MemberId(n, new Guid(i + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
            Nodes = Nodes,
            Run = i + 1,
            Seed = (ulong)i,
        }))];
        foreach (var core in _cores) core.Start(Now);
        while (_cores.Any(c => c.Mode(Now) != Client.Contracts.NodeMode.Alive))
        {
            Now += TimeSpan.FromMilliseconds(10);
            foreach (var core in _cores) core.Tick(Now);
            Deliver();
        }

        Sequencer.Submit(Now, Caller.Instance, [Given.Opening]);
        Deliver();
    }

    /// <summary>The time of all cores, which goes on only until the sequencer is elected.</summary>
    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    /// <summary>Who leads.</summary>
    public ReplicaCore Sequencer => _cores.First(c => c.IsSequencer);

    /// <summary>The others.</summary>
    public IReadOnlyList<ReplicaCore> Followers => [.. _cores.Where(c => !c.IsSequencer)];

    /// <summary>Carries out all effects of all cores, until there are none.</summary>
    private void Deliver()
    {
        while (_cores.FirstOrDefault(c => c.Effects.Count > 0) is { } core)
        {
            var effects = core.Effects.ToArray();
            core.Effects.Clear();
            foreach (var effect in effects)
            {
                if (effect is Effect.Journal journal) core.Persisted(Now, journal.Number);
                else if (effect is Effect.Send send)
                    _cores[Array.IndexOf(Nodes, send.To)].Receive(Now, core.HeaderTo(send.To), send.Message);
            }
        }
    }

    /// <summary>A client.</summary>
    internal sealed class Caller : ICaller
    {
        /// <summary>The only one.</summary>
        public static readonly Caller Instance = new();

        /// <inheritdoc/>
        public Share Share { get; } = new();
    }
}
