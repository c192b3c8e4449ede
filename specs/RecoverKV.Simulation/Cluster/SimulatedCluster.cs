using RecoverKV.Actors.Protocol;
using RecoverKV.Actors.Serialization;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Properties;

namespace RecoverKV.Simulation.Cluster;

/// <summary>One run: nodes, network, clients, faults and the properties that must hold, all from one seed.</summary>
internal sealed class SimulatedCluster
{
    private readonly Nemesis _nemesis;

    public SimulatedCluster(Scenario scenario, Mutations mutations = Mutations.None, TextWriter? trace = null)
    {
        Scenario = scenario;
        Mutations = mutations;
        Trace = new Trace { Writer = trace };
        Scheduler = new Scheduler();
        Committed = new CommittedLog(scenario.Options.Sessions, scenario.Padding);
        var random = new Prng(scenario.Seed ^ 0x5EED);
        Network = new SimulatedNetwork(Scheduler, random.Fork(), scenario);
        NodeIds = [.. Enumerable.Range(1, scenario.Nodes).Select(i => new NodeId($"n{i}"))];
        Properties = AllProperties.Of(this);
        Nodes = [.. Enumerable.Range(0, scenario.Nodes).Select(i => new SimulatedNode(this, i, random.Fork()))];
        Clients = [.. Enumerable.Range(1, scenario.Clients).Select(NewClient(random))];
        _nemesis = new Nemesis(this, random.Fork());
    }

    public Scenario Scenario { get; }

    public Mutations Mutations { get; }

    public Trace Trace { get; }

    public Scheduler Scheduler { get; }

    public SimulatedNetwork Network { get; }

    public NodeId[] NodeIds { get; }

    public SimulatedNode[] Nodes { get; }

    public SimulatedClient[] Clients { get; }

    public List<Property> Properties { get; }

    /// <summary>The one log that all replicas must agree on.</summary>
    public CommittedLog Committed { get; }

    public Statistics Statistics { get; } = new();

    /// <summary>Runs to the end of the faults, and on until all is well.</summary>
    public void Run()
    {
        foreach (var node in Nodes) Scheduler.After(node.Index * TimeSpan.FromMilliseconds(3), node.Start);
        foreach (var client in Clients) client.Start();
        _nemesis.Start();
        while (Scheduler.Now < Scenario.FaultsEnd) Scheduler.Step();
        _nemesis.Stop();
        foreach (var client in Clients) client.Finish();
        Recovery.Await(this);
        foreach (var property in Properties) property.AtEnd();
        Statistics.Simulated = Scheduler.Now;
        Statistics.Views = Properties.OfType<OneViewPerEpoch>().Single().Count;
        Statistics.Committed = Committed.Top;
        Statistics.MessagesLost = Network.Lost;
    }

    public void Deliver(SimulatedNode from, Header header, PeerMessage message)
    {
        var receiver = Nodes[Array.IndexOf(NodeIds, header.To)];
        if (receiver == from) throw new ViolationException("Messages go to others", $"{from.Id}: {message}");
        if (Scenario.Padding > 0) CheckSize(new PeerEnvelope(header, message));
        Network.Send(from.Index, receiver.Index, () =>
        {
            if (!receiver.IsUp) return;
            Trace.Add(Scheduler.Now, "receive", receiver.Id.Name, from.Id.Name, message);
            receiver.Input(core => core.Receive(receiver.Clock, header, message));
        });
    }

    private void CheckSize(PeerEnvelope envelope)
    {
        var bytes = PeerCodec.Encode(envelope).Length;
        if (bytes > Scenario.Options.FrameSize - ClientLimits.FrameOverhead)
            throw new ViolationException("Messages fit their frame", $"{bytes} bytes: {Words.Of(envelope.Message)}");
    }

    private Func<int, SimulatedClient> NewClient(Prng random) => number => number <= Scenario.LibraryClients
        ? new LibraryClient(this, number, random.Fork())
        : new RawClient(this, number, random.Fork());
}
