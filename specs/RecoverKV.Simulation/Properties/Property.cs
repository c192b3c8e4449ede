using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Something that must hold in every run. It looks on at each step and throws a <see cref="ViolationException"/>.</summary>
internal abstract class Property(SimulatedCluster cluster)
{
    protected SimulatedCluster Cluster { get; } = cluster;

    protected abstract string Name { get; }

    /// <summary>A core journals a fact.</summary>
    public virtual void OnFact(SimulatedNode node, Fact fact) { }

    /// <summary>A core took an input; its effects are not carried out yet, but its facts are in
    /// <see cref="SimulatedNode.Appended"/>.</summary>
    public virtual void AfterStep(SimulatedNode node, ReplicaCore core) { }

    /// <summary>A core sends a message.</summary>
    public virtual void OnSend(SimulatedNode node, PeerMessage message) { }

    /// <summary>A request of a client reaches a node that is up.</summary>
    public virtual void OnRequest(Attempt attempt) { }

    /// <summary>A core answers a write.</summary>
    public virtual void OnWriteAnswer(SimulatedNode node, Attempt attempt, WriteAnswer answer) { }

    /// <summary>A core answers a read.</summary>
    public virtual void OnReadAnswer(SimulatedNode node, Attempt attempt, ReadAnswer answer) { }

    /// <summary>A core answers a scan.</summary>
    public virtual void OnScanAnswer(SimulatedNode node, Attempt attempt, ScanReply reply) { }

    /// <summary>A client takes a page of its scan. Of the answers to a repeated request it takes one only.</summary>
    public virtual void OnScanPage(Attempt attempt, ScanReply reply) { }

    /// <summary>A core got all facts of its journal, and starts next.</summary>
    public virtual void OnReplayed(SimulatedNode node, ReplicaCore core) { }

    /// <summary>A core says that its disk lost facts.</summary>
    public virtual void OnStartOver(SimulatedNode node, string reason) { }

    /// <summary>All is well again.</summary>
    public virtual void AtEnd() { }

    protected void Hold(bool condition, string what)
    {
        if (!condition) throw new ViolationException(Name, what);
    }

    protected ViolationException Broken(string what) => new(Name, what);
}
