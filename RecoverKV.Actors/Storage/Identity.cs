using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>Whose a data folder is: the content of its identity file.</summary>
/// <param name="Member">The replica.</param>
/// <param name="Cluster">R12: the store that it belongs to, from its first view on; empty before.</param>
internal sealed record Identity(MemberId Member, Guid Cluster)
{
    /// <summary>The version of everything in the folder. A later one is refused, never guessed at; version 1 has no
    /// store's id, and is taken over.</summary>
    private const string Format = "recoverkv-data 2";
    private const string OldFormat = "recoverkv-data 1";
    private const string NoCluster = "none";

    public string Text => $"{Format}\nnode {Member.Node}\nincarnation {Member.Incarnation:D}\n"
        + $"cluster {(Cluster == Guid.Empty ? NoCluster : Cluster.ToString("D"))}\n";

    /// <summary>Null if the text is no identity of a version that is known.</summary>
    public static Identity? Parse(string text) => text.Split('\n') switch
    {
        [OldFormat, var node, var incarnation, ""] => Of(node, incarnation, $"cluster {NoCluster}"),
        [Format, var node, var incarnation, var cluster, ""] => Of(node, incarnation, cluster),
        _ => null,
    };

    private static Identity? Of(string second, string third, string fourth)
    {
        if (second.Split(' ') is not ["node", { Length: > 0 } node]) return null;
        if (third.Split(' ') is not ["incarnation", var own] || !Guid.TryParseExact(own, "D", out var incarnation))
            return null;
        if (fourth.Split(' ') is not ["cluster", var name]) return null;
        var cluster = Guid.Empty;
        return name == NoCluster || Guid.TryParseExact(name, "D", out cluster)
            ? new Identity(new MemberId(new NodeId(node), incarnation), cluster)
            : null;
    }
}
