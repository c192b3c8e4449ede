namespace RecoverKV.Actors.Replica;

/// <summary>What the actors of a node tell the program that runs it. Called from any thread; the first call
/// counts.</summary>
internal interface INodeOwner
{
    /// <summary>R8: the replica has left in good order; the others do without it. It may still write a
    /// checkpoint.</summary>
    void Leaves();

    /// <summary>R8: the replica has left in good order, and nothing more is to be done.</summary>
    void Left();

    /// <summary>R11: the data folder must be set aside, and the node begin with a new one.</summary>
    void StartOver(string reason);

    /// <summary>The actor system must be made anew.</summary>
    void Restart(string reason);

    /// <summary>The node cannot go on.</summary>
    void Failed(NodeFailedException failure);
}
