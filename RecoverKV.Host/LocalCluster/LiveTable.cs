using System.Globalization;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Commands;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace RecoverKV.Host.LocalCluster;

/// <summary>Draws a cluster as a table with the last notices under it.</summary>
internal static class LiveTable
{
    private static readonly string[] Columns =
        ["node", "address", "pid", "mode", "epoch", "uid", "committed", "gap", "sequencer", "last error"];

    /// <summary>The drawing.</summary>
    public static IRenderable Draw(IReadOnlyList<NodeSnapshot> nodes, IReadOnlyList<string> notices, string footer)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in Columns)
        {
            var cell = new TableColumn(column);
            if (column is "pid" or "epoch" or "uid" or "committed" or "gap") cell.RightAligned();
            // Where the terminal is narrow, the error gives way.
            table.AddColumn(column == "last error" ? cell : cell.NoWrap());
        }

        foreach (var node in nodes) table.AddRow(Row(node));
        return new Rows([table, .. notices.Select(n => new Text(n, Color.Grey)), new Text(footer)]);
    }

    private static IEnumerable<IRenderable> Row(NodeSnapshot node)
    {
        var status = node.Status;
        return
        [
            new Text(node.Id),
            new Text(node.Address),
            new Text(node.Pid == 0 ? "-" : Number(node.Pid)),
            new Text(StatusText.Name(node.Mode), ModeColor(node.Mode)),
            Number(status?.Epoch),
            Number(status?.Uid),
            Number(status?.CommittedUid),
            Number(status?.Gap),
            new Text(status is { IsSequencer: true } ? "sequencer" : ""),
            new Text(node.Error ?? "", Color.Red),
        ];
    }

    private static Text Number(long? value) => new(value is { } number ? Number(number) : "-");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static Style ModeColor(NodeMode mode) => mode switch
    {
        NodeMode.Alive => Color.Green,
        NodeMode.Ready => Color.Blue,
        NodeMode.Zombie => Color.Yellow,
        _ => Color.Red,
    };
}
