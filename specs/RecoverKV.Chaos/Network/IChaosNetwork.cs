namespace RecoverKV.Chaos.Network;

/// <summary>Where nodes and clients run, and how links between nodes are cut. Nodes are numbered from 1.</summary>
internal interface IChaosNetwork : IAsyncDisposable
{
    /// <summary>For the report.</summary>
    string Description { get; }

    /// <summary>Whether messages can be lost in one direction only, or towards clients.</summary>
    bool CutsOneWay { get; }

    /// <summary>Whether links can be made slow.</summary>
    bool Throttles { get; }

    /// <summary>Host name or IP address of a node.</summary>
    string Host(int node);

    /// <summary>The port of a node.</summary>
    int Port(int node);

    /// <summary>A command that runs where the node runs.</summary>
    string[] AtNode(int node, params string[] command);

    /// <summary>A command that runs where the clients run.</summary>
    string[] AtClients(params string[] command);

    /// <summary>Cuts what goes from one node to another. 0 stands for the clients.</summary>
    Task CutAsync(IReadOnlyCollection<(int From, int To)> links);

    /// <summary>Makes everything slow that a node sends.</summary>
    Task ThrottleAsync(int node);

    /// <summary>Makes everything rather slow that nodes and clients send: 50 Mbit/s each.</summary>
    Task ThinAsync();

    /// <summary>Undoes all of it.</summary>
    Task MendAsync();
}
