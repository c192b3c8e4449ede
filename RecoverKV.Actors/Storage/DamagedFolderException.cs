namespace RecoverKV.Actors.Storage;

/// <summary>
/// The disk gives back other bytes than were written, or not all of them: the folder is of no use to this node, which
/// sets it aside and starts over from its peers (R11). Not for what only a mistake of a program can have written: all
/// nodes would give up their folders for it at once.
/// </summary>
/// <param name="damage">What is damaged, and how: a sentence without its end.</param>
/// <param name="howToStartOver">What an operator can do where the node does not do it.</param>
/// <param name="cause">What it was found by.</param>
internal sealed class DamagedFolderException(string damage, string howToStartOver, Exception? cause)
    : NodeFailedException($"{damage}. {howToStartOver}", cause)
{
    /// <summary>What is damaged, and how: a sentence without its end.</summary>
    public string Damage => damage;
}
