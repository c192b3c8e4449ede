using RecoverKV.MultiNode.Specs.Harness;

namespace RecoverKV.MultiNode.Specs.Partitions;

/// <summary>
/// Which links are cut, written with the roles that nodes have when it happens: S leads; A, B, C, D are the others.
/// <c>SA|BC</c> splits into groups; <c>S-AB</c> cuts the links between S and A and between S and B;
/// <c>S&gt;AB</c> cuts only what S sends to them. Several of these, separated by spaces, together.
/// </summary>
internal sealed class Shape
{
    private readonly List<(TestNode From, TestNode To)> _cuts = [];
    private readonly Dictionary<char, TestNode> _roles;

    public Shape(string text, TestCluster cluster, TestNode sequencer)
    {
        var others = cluster.Nodes.Where(n => n != sequencer);
        _roles = others.Prepend(sequencer).Index().ToDictionary(n => "SABCD"[n.Index], n => n.Item);
        foreach (var part in text.Split(' '))
        {
            if (part.Split('|') is { Length: > 1 } groups)
            {
                foreach (var one in groups)
                    foreach (var other in groups)
                        if (one != other) Cut(one, other);
            }
            else if (part.Split('-') is [var left, var right])
            {
                Cut(left, right);
                Cut(right, left);
            }
            else
            {
                Assert.True(part.Split('>') is [_, _], $"{part} is no part of a shape");
                Cut(part.Split('>')[0], part.Split('>')[1]);
            }
        }
    }

    /// <summary>The nodes of these roles.</summary>
    public TestNode[] Nodes(string roles) => [.. roles.Select(r => _roles[r])];

    public async Task CutAsync(TestCluster cluster)
    {
        foreach (var (from, to) in _cuts) await cluster.CutOneWayAsync([from], [to]);
    }

    private void Cut(string from, string to) =>
        _cuts.AddRange(Nodes(from).SelectMany(f => Nodes(to).Where(t => t != f).Select(t => (f, t))));
}
