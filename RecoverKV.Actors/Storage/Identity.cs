using RecoverKV.Actors.Protocol;

namespace RecoverKV.Actors.Storage;

/// <summary>Whose a data folder is: the content of its identity file.</summary>
internal sealed record Identity(MemberId Member)
{
    /// <summary>The version of everything in the folder. Another version is refused, never guessed at.</summary>
    private const string Format = "recoverkv-data 1";

    public string Text => $"{Format}\nnode {Member.Node}\nincarnation {Member.Incarnation:D}\n";

    /// <summary>Null if the text is no identity of this version.</summary>
    public static Identity? Parse(string text) =>
        text.Split('\n') is [Format, ['n', 'o', 'd', 'e', ' ', .. var node], var third, ""]
        && third.Split(' ') is ["incarnation", var id] && Guid.TryParseExact(id, "D", out var incarnation)
            ? new Identity(new MemberId(new NodeId(node), incarnation))
            : null;
}
