namespace RecoverKV.Actors.Protocol;

/// <summary>Position of a write in the one total order; the first is 1, and 0 stands before it.</summary>
public readonly record struct Uid(long Value) : IComparable<Uid>
{
    /// <summary>The position before the first write.</summary>
    public static readonly Uid Zero = new(0);

    /// <summary>The position after this one.</summary>
    public Uid Next => new(Value + 1);

    /// <summary>The position before this one.</summary>
    public Uid Previous => new(Value - 1);

    /// <summary>The later of two positions.</summary>
    public static Uid Max(Uid a, Uid b) => a.Value >= b.Value ? a : b;

    /// <summary>The earlier of two positions.</summary>
    public static Uid Min(Uid a, Uid b) => a.Value <= b.Value ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Uid other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The position <paramref name="count"/> after <paramref name="uid"/>.</summary>
    public static Uid operator +(Uid uid, long count) => new(uid.Value + count);

    /// <summary>The distance between two positions.</summary>
    public static long operator -(Uid a, Uid b) => a.Value - b.Value;

    /// <summary>Earlier than.</summary>
    public static bool operator <(Uid a, Uid b) => a.Value < b.Value;

    /// <summary>Later than.</summary>
    public static bool operator >(Uid a, Uid b) => a.Value > b.Value;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Uid a, Uid b) => a.Value <= b.Value;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Uid a, Uid b) => a.Value >= b.Value;
}

/// <summary>Number of a view; grows with each view and fences off everything older. 0 is before the first
/// view.</summary>
public readonly record struct Epoch(long Value) : IComparable<Epoch>
{
    /// <summary>Before the first view.</summary>
    public static readonly Epoch Zero = new(0);

    /// <summary>The next higher epoch.</summary>
    public Epoch Next => new(Value + 1);

    /// <summary>The higher of two epochs.</summary>
    public static Epoch Max(Epoch a, Epoch b) => a.Value >= b.Value ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Epoch other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Lower than.</summary>
    public static bool operator <(Epoch a, Epoch b) => a.Value < b.Value;

    /// <summary>Higher than.</summary>
    public static bool operator >(Epoch a, Epoch b) => a.Value > b.Value;

    /// <summary>Not higher than.</summary>
    public static bool operator <=(Epoch a, Epoch b) => a.Value <= b.Value;

    /// <summary>Not lower than.</summary>
    public static bool operator >=(Epoch a, Epoch b) => a.Value >= b.Value;
}

/// <summary>The configured name of a node.</summary>
public readonly record struct NodeId(string Name)
{
    /// <summary>No node.</summary>
    public static readonly NodeId None = new("");

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>
/// A replica with its disk: a node that lost its data folder comes back as another member (R11).
/// </summary>
/// <param name="Node">The configured name.</param>
/// <param name="Incarnation">Random id made together with the data folder.</param>
public readonly record struct MemberId(NodeId Node, Guid Incarnation)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Node}#{Incarnation.ToString()[..4]}";
}

/// <summary>An inclusive range of uids.</summary>
public readonly record struct UidRange(Uid First, Uid Last)
{
    /// <summary>How many uids.</summary>
    public long Count => Last.Value - First.Value + 1;

    /// <inheritdoc/>
    public override string ToString() => $"{First}..{Last}";
}
