using System.Globalization;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Commands;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Tells of a cluster in lines, one per change, where no terminal shows a table.</summary>
internal sealed class ChangeLog
{
    private readonly Dictionary<string, string> _said = [];
    private bool _ready;

    /// <summary>The lines that the new state asks for.</summary>
    public IEnumerable<string> Changes(IReadOnlyList<NodeSnapshot> nodes)
    {
        foreach (var node in nodes)
        {
            var now = Describe(node);
            if (_said.GetValueOrDefault(node.Id) == now) continue;
            var silent = node.Mode == NodeMode.Dead && !_said.ContainsKey(node.Id);
            _said[node.Id] = now;
            if (!silent) yield return now;
        }

        var ready = nodes.All(n => n.Mode == NodeMode.Alive);
        if (ready && !_ready) yield return "cluster ready";
        _ready = ready;
    }

    private static string Describe(NodeSnapshot node)
    {
        var line = $"{node.Id} {StatusText.Name(node.Mode)}";
        if (node.Status is { } status)
        {
            line = string.Create(CultureInfo.InvariantCulture, $"{line} epoch {status.Epoch}");
            if (status.IsSequencer) line += " sequencer";
        }

        return node.Error is { } error ? $"{line}: {Failures.OneLine(error)}" : line;
    }
}
