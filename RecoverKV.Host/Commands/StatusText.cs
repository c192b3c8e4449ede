using System.Globalization;
using System.Text;
using System.Text.Json;
using RecoverKV.Client.Contracts;

namespace RecoverKV.Host.Commands;

/// <summary>The state of the nodes as text: a table for people, JSON for programs.</summary>
internal static class StatusText
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    private static readonly string[] Heading =
        ["node", "address", "pid", "mode", "epoch", "uid", "committed", "gap", "keys", ""];

    /// <summary>The name of a mode, as everywhere in the documentation.</summary>
    public static string Name(NodeMode mode) => mode switch
    {
        NodeMode.Alive => "ALIVE",
        NodeMode.Ready => "READY",
        NodeMode.Zombie => "ZOMBIE",
        _ => "DEAD",
    };

    /// <summary>A table of plain text, one line per node.</summary>
    public static string Table(IReadOnlyList<NodeStatus> nodes)
    {
        var store = StoreOfMost(nodes);
        List<string[]> rows = [Heading, .. nodes.Select(n => Row(n, store))];
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var line = new StringBuilder();
            for (var i = 0; i < row.Length; i++)
            {
                var width = rows.Max(r => r[i].Length);
                line.Append(i is 2 or (>= 4 and <= 8) ? row[i].PadLeft(width) : row[i].PadRight(width)).Append("  ");
            }

            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>An object whose <c>nodes</c> has one object per node.</summary>
    public static string Json(IReadOnlyList<NodeStatus> nodes) =>
        JsonSerializer.Serialize(
            new
            {
                Nodes = nodes.Select(n => new
                {
                    Id = n.Node,
                    Address = $"{n.Host}:{n.Port}",
                    Pid = n.ProcessId,
                    Mode = Name(n.Mode),
                    n.Epoch,
                    n.Uid,
                    n.CommittedUid,
                    n.AppliedUid,
                    n.Gap,
                    n.Keys,
                    Digest = n.Digest.ToString("x16", CultureInfo.InvariantCulture),
                    n.IsSequencer,
                    n.Sequencer,
                    n.IsAlone,
                    Store = n.Cluster == Guid.Empty ? null : n.Cluster.ToString(),
                    n.Reason,
                }),
            },
            Indented) + "\n";

    /// <summary>R12: the store that most of the nodes belong to; none if there is no such store.</summary>
    private static Guid StoreOfMost(IReadOnlyList<NodeStatus> nodes)
    {
        var stores = nodes.Where(n => n.Cluster != Guid.Empty).GroupBy(n => n.Cluster).ToList();
        return stores.Find(s => 2 * s.Count() > stores.Sum(o => o.Count()))?.Key ?? Guid.Empty;
    }

    private static string[] Row(NodeStatus n, Guid store)
    {
        var role = n.IsSequencer ? "sequencer" : n.IsAlone ? "alone, serves what it has" : null;
        var remark = role is null ? n.Reason ?? "" : n.Reason is { Length: > 0 } reason ? $"{role}; {reason}" : role;
        if (n.Cluster != store && n.Cluster != Guid.Empty)
            remark = $"of another store, {n.Cluster}" + (remark.Length > 0 ? $"; {remark}" : "");
        var address = $"{n.Host}:{n.Port}";
        return n.Mode == NodeMode.Dead
            ? [n.Node, address, "-", Name(n.Mode), "-", "-", "-", "-", "-", remark]
            :
            [
                n.Node, address, Text(n.ProcessId), Name(n.Mode), Text(n.Epoch), Text(n.Uid), Text(n.CommittedUid),
                Text(n.Gap), Text(n.Keys), remark,
            ];
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
