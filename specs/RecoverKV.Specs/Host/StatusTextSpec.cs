using System.Text.Json;
using RecoverKV.Client.Contracts;
using RecoverKV.Host.Commands;

namespace RecoverKV.Specs.Host;

public sealed class StatusTextSpec
{
    private static readonly NodeStatus[] Nodes =
    [
        new(1, "node1", "127.0.0.1", 4051, 100, NodeMode.Alive, 3, true, "node1", 1200, 1199, 0, 7, null, 1198, 255),
        new(1, "node2", "127.0.0.1", 4052, 0, NodeMode.Dead, 0, false, null, 0, 0, 0, 0, "does not answer"),
    ];

    [Fact]
    public void The_table_has_a_line_per_node() => Assert.Equal(
        """
        node   address         pid  mode   epoch   uid  committed  gap  keys
        node1  127.0.0.1:4051  100  ALIVE      3  1200       1199    0     7  sequencer
        node2  127.0.0.1:4052    -  DEAD       -     -          -    -     -  does not answer

        """.ReplaceLineEndings("\n"),
        StatusText.Table(Nodes));

    [Fact]
    public void A_sequencer_says_what_is_wrong_with_it_as_well() => Assert.EndsWith(
        "  sequencer; the disk is full\n",
        StatusText.Table([Nodes[0] with { Reason = "the disk is full" }]), StringComparison.Ordinal);

    [Fact]
    public void Nodes_of_another_store_than_the_rest_are_named()
    {
        var (own, other) = (Guid.NewGuid(), Guid.NewGuid());
        NodeStatus[] nodes =
        [
            Nodes[0] with { Cluster = own }, Nodes[0] with { Node = "node2", Cluster = own },
            Nodes[1] with { Node = "node3" },
            Nodes[0] with { Node = "node4", Cluster = other, IsSequencer = false, Reason = "no majority" },
        ];
        var lines = StatusText.Table(nodes).Split('\n');
        Assert.EndsWith("7  sequencer", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("does not answer", lines[3], StringComparison.Ordinal);
        Assert.EndsWith($"of another store, {other}; no majority", lines[4], StringComparison.Ordinal);

        // Nobody can tell which of two is the right one.
        Assert.Equal(2, StatusText.Table([nodes[0], nodes[3]]).Split("of another store").Length - 1);
        using var json = JsonDocument.Parse(StatusText.Json(nodes));
        var stores = json.RootElement.GetProperty("nodes").EnumerateArray()
            .Select(n => n.GetProperty("store").GetString());
        Assert.Equal([own.ToString(), own.ToString(), null, other.ToString()], stores);
    }

    [Fact]
    public void The_json_has_every_field()
    {
        using var json = JsonDocument.Parse(StatusText.Json(Nodes));
        var node = json.RootElement.GetProperty("nodes")[0];
        Assert.Equal("node1", node.GetProperty("id").GetString());
        Assert.Equal("127.0.0.1:4051", node.GetProperty("address").GetString());
        Assert.Equal(100, node.GetProperty("pid").GetInt32());
        Assert.Equal("ALIVE", node.GetProperty("mode").GetString());
        Assert.Equal(3, node.GetProperty("epoch").GetInt64());
        Assert.Equal(1200, node.GetProperty("uid").GetInt64());
        Assert.Equal(1199, node.GetProperty("committedUid").GetInt64());
        Assert.Equal(1198, node.GetProperty("appliedUid").GetInt64());
        Assert.Equal("00000000000000ff", node.GetProperty("digest").GetString());
        Assert.Equal(0, node.GetProperty("gap").GetInt64());
        Assert.True(node.GetProperty("isSequencer").GetBoolean());
        Assert.Equal("node1", node.GetProperty("sequencer").GetString());
        Assert.Equal("DEAD", json.RootElement.GetProperty("nodes")[1].GetProperty("mode").GetString());
    }
}
