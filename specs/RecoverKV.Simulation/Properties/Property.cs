using System.Globalization;
using System.Runtime.CompilerServices;
using RecoverKV.Actors.Protocol;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation.Cluster;

namespace RecoverKV.Simulation.Properties;

/// <summary>Something that must hold in every run. It looks on at each step and throws a
/// <see cref="ViolationException"/>.</summary>
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

    /// <summary>The words are made only if it does not hold: this is asked at each step.</summary>
    protected void Hold(bool condition, [InterpolatedStringHandlerArgument(nameof(condition))] ref BrokenWords what)
    {
        if (!condition) throw new ViolationException(Name, what.ToString());
    }

    protected ViolationException Broken(string what) => new(Name, what);
}

/// <summary>What is said of a property that does not hold.</summary>
[InterpolatedStringHandler]
internal ref struct BrokenWords
{
    private DefaultInterpolatedStringHandler _words;

    public BrokenWords(int literalLength, int formattedCount, bool condition, out bool isBroken)
    {
        isBroken = !condition;
        if (isBroken)
            _words = new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture);
    }

    public void AppendLiteral(string literal) => _words.AppendLiteral(literal);

    public void AppendFormatted<T>(T value, string? format = null) => _words.AppendFormatted(value, format);

    public override string ToString() => _words.ToStringAndClear();
}
