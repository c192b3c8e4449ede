using RecoverKV.Client.Contracts;

namespace RecoverKV.Client.Connection;

/// <summary>The newest view that this client has, with the routes to its nodes. Immutable.</summary>
internal sealed class RouteTable
{
    internal RouteTable(ClusterView view, NodeRoute[] nodes)
    {
        View = view.FrameBytes > 0
            ? view
            : view with { FrameBytes = ClientLimits.FrameBytes, MaxWriteBytes = ClientLimits.WriteBytes };
        MessageBytes = Math.Min(Timing.MessageBytes, Limits.MessageBytes(View));
        Nodes = nodes;
        Sequencer = view.Sequencer is null ? null : Array.Find(nodes, n => n.Node == view.Sequencer);
        var inSync = view.Nodes.Where(n => n.InSync).Select(n => n.Node).ToHashSet();
        InSync = Array.FindAll(nodes, n => inSync.Contains(n.Node));
    }

    internal ClusterView View { get; }

    internal NodeRoute[] Nodes { get; }

    /// <summary>Most bytes of keys and values in one message, unless a single call has more: the nodes take as much.
    /// </summary>
    internal int MessageBytes { get; }

    internal NodeRoute? Sequencer { get; }

    internal NodeRoute[] InSync { get; }

    /// <summary>The nodes that may answer such reads.</summary>
    internal NodeRoute[] Readers(ReadConsistency consistency) =>
        consistency != ReadConsistency.Linearizable || InSync.Length == 0 ? Nodes : InSync;

    /// <summary>What comes in is not trusted: a view that could not be used is not taken.</summary>
    internal static bool IsUsable(ClusterView view) =>
        view is { Epoch: >= 0, MaxKeyBytes: > 0, MaxValueBytes: >= 0, Nodes.Count: > 0 }
        && view is { FrameBytes: 0 } or { FrameBytes: >= ClientLimits.FrameBytesLeast, MaxWriteBytes: > 0 }
        && view.Nodes.All(n => n.Node.Length > 0 && n.Port is > 0 and < 65536)
        && view.Nodes.All(n => Uri.CheckHostName(n.Host) != UriHostNameType.Unknown)
        && view.Nodes.Select(n => n.Node).Distinct().Count() == view.Nodes.Count;
}
